# chip: middle
network n {
    window = 8
    learning = hinge { rate = 9 }
    input  x = rate(8, 8)
    target y = classes(10)
    layer one = dense(64) from x, y { learning = softmax }
    layer two = dense(64) from one { learning = hinge { optimizer = momentum } }
    layer three = dense(64) from two { learning = hinge { gate = voltage } }
    readout z = nearest_target from three
}
