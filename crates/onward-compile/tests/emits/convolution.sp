# chip: middle
# passes: generate
network convolution {
    window  = 8
    input x = rate(2, 8, 8)
    layer c = conv(16, 3) from x { stride = 2, padding = 1, neurons = leaky { leak = shift(4), refractory = 2 } }
    readout z = spikes from c
}
