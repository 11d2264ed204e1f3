# chip: middle
network n {
    window = 8
    input  x = rate(2, 32, 32)
    layer one = conv(64, 3) from x { padding = 1 }
    readout z = spikes from one
}
