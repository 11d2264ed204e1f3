network digits {
    input pixels = rate(8, 8)
    input sound = rate(40)
    target digit = classes(10)
    target speaker = classes(5)
    learning = hinge { rate = 7 }
    layer hidden1 = dense(128) from pixels, digit
    layer hidden2 = dense(128) from hidden1
    readout answer = nearest_target from hidden2
    readout other = nearest_target from hidden1
}
