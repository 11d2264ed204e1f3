# chip: middle
network n {
    window = 8
    learning = hinge { rate = 9, revive = none }
    input  x = rate(28, 28)
    target y = classes(10)
    layer one = conv(16, 3) from x, y { padding = 1, block = 16 }
    readout z = nearest_target from one
}
