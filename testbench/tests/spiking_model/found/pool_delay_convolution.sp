network found {
    window = 3
    neurons = integrate_and_fire { threshold = 0.125 }
    weights = fixed { bits = 8, values = 0.5 }
    input x = rate(19)
    layer a = max_pool(1, 1) from x { stride = (1, 3) }
    layer b = delay(1) from a
    layer c = conv(1, 1, 1) from b
    readout answer = spikes from c
}
