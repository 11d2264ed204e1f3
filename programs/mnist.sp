# Images of 28 x 28 pixels in ten classes: MNIST, Fashion-MNIST and their kin. Say which with --data FOLDER.

network mnist {
    epochs = 10
    window = 8

    input  pixels = rate(28, 28)
    target class  = classes(10)

    neurons  = integrate_and_fire { threshold = 1.0, reset = subtract }
    weights  = fixed { bits = 16, gain = 1.0 }
    learning = hinge { rate = 8, margin = 0.3, anneal = 2, gate = surrogate }

    layer hidden1 = dense(512) from pixels, class { block = 128 }
    layer hidden2 = dense(512) from hidden1       { block = 128 }

    readout answer = nearest_target from hidden2
}
