# chip: small
network n {
    window = 8
    learning = hinge { rate = 9 }
    input  x = rate(28, 28)
    target y = classes(10)
    layer one = dense(512) from x, y { block = 128 }
    layer two = dense(512) from one { block = 128 }
    readout z = nearest_target from two
}
