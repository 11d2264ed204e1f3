# chip: middle
network n {
    window = 8
    input  x = rate(8, 8)
    target y = classes(10)
    layer one   = dense(64) from x, y  { learning = softmax { batch = 8 } }
    layer two   = dense(64) from one   { learning = hinge { optimizer = momentum, batch = 8 } }
    layer three = dense(64) from two   { learning = hinge { update = spread, batch = 8 } }
    layer four  = dense(64) from three { learning = hinge { optimizer = momentum, rounding = carried } }
    layer five  = dense(64) from four  { learning = hinge { rounding = carried, batch = 8 } }
    readout z = nearest_target from five
}
