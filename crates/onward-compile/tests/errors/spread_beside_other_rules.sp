# chip: middle
network n {
    window = 8
    input  x = rate(8, 8)
    target y = classes(10)
    layer one   = dense(64) from x, y { learning = hinge { every = 4, update = spread } }
    layer two   = dense(64) from one  { learning = hinge { optimizer = momentum, update = spread, rounding = carried } }
    layer three = dense(64) from two  { learning = softmax { gate = voltage, update = spread } }
    readout z = nearest_target from three
}
