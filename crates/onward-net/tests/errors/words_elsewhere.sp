network digits {
    input  pixels = rate(8, 8) { threshold = 1 }
    target digit  = classes(10)
    block = 64
    hidden = dense(64)
    layer = dense(64)
    learning mine = hinge
    layer hidden1 = rate(128) from pixels, digit
    layer hidden2 = dense(128) from hidden1
    readout answer = nearest_target from hidden2
}
