# chip: middle
network n {
    window = 8
    learning = hinge { every = 4 }
    input  x = rate(8, 8)
    target y = classes(10)
    layer one   = recurrent(64) from x, y { recurrent_weights = fixed { bits = 8 } }
    layer two   = dense(64) from one { learning = softmax { every = 4 } }
    layer three = dense(64) from two { learning = hinge { every = 4, gate = voltage, batch = 2 } }
    layer four  = dense(64) from three { learning = hinge { every = 16 }, neurons = leaky { leak = shift(4), refractory = 2 } }
    readout z = nearest_target from four
}
