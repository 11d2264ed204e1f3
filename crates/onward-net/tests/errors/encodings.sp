network encodings {
    input x = delta(3, 8) { change = 0 }
    layer a = dense(3) from x
    readout r = most_spikes from a
}
