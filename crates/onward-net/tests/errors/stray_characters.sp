network digits {
    input pixels = rate[8, 8]
    target digit: classes(10)
    learning = hinge { rate = 7 };
    layer hidden-1 = dense(128) from pixels, digit
    layer hidden2 = dense(128) from hidden1 // the last
    layer größe = dense(4) from pixels
    readout answer = nearest_target from hidden2
}
