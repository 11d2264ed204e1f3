# chip: middle
network n {
    window = 8
    learning = hinge { rate = 9 }
    input  x = rate(1, 8, 8)
    target y = classes(10)
    layer one = conv(4, 3) from x, y { padding = 1, learning = hinge { revive = none } }
    layer pool = average_pool(2) from one
    layer two = recurrent(64) from pool { recurrent_weights = fixed { bits = 8 }, neurons = leaky { leak = shift(4) } }
    readout z = most_spikes from two
}
