network digits {
    input pixels = rate(8, 8, 8, 8)
    target digit = classes
    learning = hinge { rate = 7 }
    layer hidden1 = dense() from pixels, digit
    layer hidden2 = dense(64, 8, 8, 2) from hidden1
    readout answer = nearest_target(10) from hidden2
}
