network digits {
    target digit  = classes(10)
    learning = hinge { rate = 7 }
    layer hidden1 = dense(128) from pixels, digit
    layer hidden2 = dense(128) from hidden1
    readout answer = nearest_target from hidden2
    input pixels = rate(8, 8)
}
