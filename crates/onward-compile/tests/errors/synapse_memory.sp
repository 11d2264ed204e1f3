# chip: large
network n {
    window = 8
    learning = hinge { rate = 9 }
    input  x = rate(28, 28)
    target y = classes(10)
    layer one = dense(256) from x, y { block = 256 }
    layer two = dense(64) from one { block = 64 }
    readout z = nearest_target from two
}
