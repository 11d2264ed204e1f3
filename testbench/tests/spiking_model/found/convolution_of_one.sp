network found {
    window = 3
    neurons = integrate_and_fire { threshold = 0.125 }
    weights = fixed { bits = 8, values = 0.5 }
    input x = rate(19)
    layer a = max_pool(1, 1) from x
    layer c = conv(1, 1, 1) from a
    readout answer = spikes from c
}
