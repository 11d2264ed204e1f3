# chip: middle
network n {
    window = 8
    learning = hinge { rate = 9, update = spread }
    input  x = rate(8, 8)
    target y = classes(10)
    layer one = dense(64) from x, y { learning = softmax { update = spread } }
    layer two = dense(64) from one { learning = hinge { optimizer = momentum, update = spread } }
    layer three = dense(64) from two { learning = hinge { gate = voltage, update = spread } }
    layer four = dense(64) from three
    readout z = nearest_target from four
}
