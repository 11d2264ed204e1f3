# A sequence of 3 values, a row of each sample a step: a spike on one axon where a value rises, on another where it falls.

network changes {
    window = 50
    input values = delta(2, 3) { change = 0.05 }
    layer hidden = dense(16) from values { neurons = leaky { leak = shift(4) } }
    layer out    = dense(2) from hidden
    readout answer = most_spikes from out
}
