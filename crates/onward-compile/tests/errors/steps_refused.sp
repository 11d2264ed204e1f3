# chip: middle
network n {
    window = 8
    learning = hinge { every = 4 }
    input  x = rate(8, 8)
    target y = classes(10)
    layer one = recurrent(64) from x, y { recurrent_weights = fixed { bits = 8 } }
    layer two = dense(64) from one
    readout z = nearest_target from two
}
