# chip: large
network n {
    window = 8
    learning = hinge { rate = 9 }
    input  x = rate(8, 8)
    target y = classes(1024)
    layer one = dense(64) from x, y { block = 64 }
    layer two = dense(64) from one { block = 64 }
    readout z = nearest_target from two
}
