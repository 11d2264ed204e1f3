# --set hidden=8
network settings {
    input x = rate(8)
    layer a = dense(4) from x
    readout r = most_spikes from a
}
