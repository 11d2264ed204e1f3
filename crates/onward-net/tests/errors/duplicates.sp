network digits {
    input  pixels = rate(8, 8)
    target digit  = classes(10)
    epochs = 3
    learning = hinge { rate = 7, margin = 0.3, rate = 8 }
    epochs = 4
    layer hidden1 = dense(128) from pixels, digit, pixels
    layer hidden1 = dense(128) from hidden1
    layer hidden2 = dense(128) from hidden1
    readout answer = nearest_target from hidden2
}
