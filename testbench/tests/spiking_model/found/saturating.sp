# Values that add up beyond 32 bits: the bias is added last.
network found {
    window = 60
    input x = current(8)
    layer a = dense(3) from x {
        block = 1
        weights = fixed { bits = 16, values = 0.448 }
        neurons = current_based { current = none, leak = none, threshold = 0.8, bias = (0.45, -0.14, 0.06) }
    }
    readout answer = spikes from a
}
