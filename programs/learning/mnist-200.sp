# Images of 28 x 28 pixels by two layers of 200 neurons, the size of a chip of Park et al. (ISSCC 2019). Layers have two
# cores and one.

network mnist_200 {
    epochs = 10
    window = 8

    input  pixels = rate(28, 28)
    target class  = classes(10)

    weights  = fixed { bits = 16 }
    learning = hinge { rate = 9, margin = 0.3, anneal = 2 }

    layer hidden1 = dense(200) from pixels, class { block = 100 }
    layer hidden2 = dense(200) from hidden1       { block = 200 }

    readout answer = nearest_target from hidden2
}
