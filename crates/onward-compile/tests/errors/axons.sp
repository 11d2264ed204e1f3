# chip: large
network n {
    window = 8
    learning = hinge { rate = 9 }
    input  x = rate(70, 70)
    target y = classes(10)
    layer one = dense(16) from x, y { block = 16 }
    layer two = dense(16) from one { block = 16 }
    readout z = nearest_target from two
}
