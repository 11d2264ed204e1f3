# Everything wrong in here is reported at once.
network digits {
    epochs = 0
    input pixels = rate(8, 8)
    target digit = classes(10)
    learning = hinge { rate = 7, margn = 0.3 }
    layer hidden1 = dense(128 from pixels, digit
    layer hidden2 = dense(128) from hidden3 { block = 256 }
    layer hidden3 = dense("128") from hidden2
    readout answer = nearest_target from hiden3
}
