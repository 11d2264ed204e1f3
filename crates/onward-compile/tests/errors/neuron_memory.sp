# chip: large
network n {
    window = 8
    learning = hinge { rate = 9 }
    input  x = rate(8, 8)
    target y = classes(200)
    layer one = dense(100) from x, y { block = 50 }
    layer two = dense(256) from one { block = 16 }
    readout z = nearest_target from two
}
