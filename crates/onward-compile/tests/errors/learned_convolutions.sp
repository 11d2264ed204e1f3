# chip: middle
network n {
    window = 8
    learning = hinge { rate = 9 }
    input  x = rate(2, 16, 16)
    target y = classes(10)
    layer one = conv(4, 3) from x, y
    layer two = conv(4, 3) from one { groups = 2, learning = none }
    layer three = conv(4, 9) from two { padding = 4, learning = hinge { revive = none } }
    layer four = conv(4, 3) from three { learning = softmax { revive = none, update = spread } }
    readout z = nearest_target from four
}
