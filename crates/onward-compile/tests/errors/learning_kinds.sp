# chip: middle
network n {
    window = 8
    learning = hinge { rate = 9 }
    input  x = rate(8, 8)
    target y = classes(10)
    layer one = dense(64) from x, y { block = 64, neurons = leaky { leak = shift(4) } }
    layer two = recurrent(64) from one { block = 64 }
    readout z = most_spikes from two
}
