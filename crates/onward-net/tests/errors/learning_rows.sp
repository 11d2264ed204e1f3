network rows {
    learning = hinge
    input x = rate(8, 8)
    target y = classes(4)
    layer a = conv(4, 3) from x, y { rows = 2 }
    readout r = nearest_target from a
}
