network digits {
    input pixels = rate(8x8)
    target digit = classes(1.2.3)
    learning = hinge { rate = 7x, margin = .3 }
    layer hidden1 = dense(128) from pixels, digit
    layer hidden2 = dense(128) from hidden1
    readout answer = nearest_target from hidden2
}
