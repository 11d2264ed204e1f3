network digits {
    input  pixels = rate(8, 8)
    target digit  = classes(10)
    learning = hinge { rate = 7 }
    layer hidden1 = dense(128) from pixels, digit
    layer hidden2 = dense(128) from hidden1, pixels
    readout answer = target_tree from hidden1, hidden2
}
