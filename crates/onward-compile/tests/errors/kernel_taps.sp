# chip: middle
network n {
    window = 8
    input  x = rate(1000, 1, 1)
    layer one = conv(2, 64) from x { padding = 32 }
    readout z = spikes from one
}
