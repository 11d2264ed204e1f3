network pooled {
    input x = rate(4, 4)
    layer a = conv(4, 3) from x
    layer p = sum_pool(2) from a
    readout r = most_spikes from p
}
