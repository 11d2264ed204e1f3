# Fashion-MNIST: images of 28 x 28 pixels of ten kinds of clothes. Many pixels are bright and classes overlap, so that changes
# are smaller than for digits.

network fashion {
    epochs = 10
    window = 8

    input  pixels = rate(28, 28)
    target class  = classes(10)

    weights  = fixed { bits = 16 }
    learning = hinge { rate = 10, margin = 0.3, anneal = 2 }

    layer hidden1 = dense(512) from pixels, class { block = 128 }
    layer hidden2 = dense(512) from hidden1       { block = 128 }

    readout answer = nearest_target from hidden2
}
