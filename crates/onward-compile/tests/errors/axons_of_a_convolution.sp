# chip: middle
network n {
    window = 8
    input  x = rate(2, 32, 32)
    layer one = conv(16, 3) from x { padding = 1, block = 4, rows = 8 }
    layer two = conv(32, 3) from one { padding = 1, block = 4, rows = 8 }
    readout z = spikes from two
}
