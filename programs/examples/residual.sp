# Residual blocks: what comes into two convolutions also comes in beside the second. `concat` brings both together, and
# `kernels` says how the second source comes in: as it is, a kernel of 1 for each channel, or, where the block halves the plane,
# by a kernel of its own with that stride.
network residual {
    window = 8
    learning = none
    weights = fixed { bits = 8 }

    input x = rate(14, 14)
    layer stem = conv(8, 3) from x { padding = 1 }

    layer a1 = conv(8, 3) from stem { padding = 1 }
    layer a = concat from a1, stem
    layer a2 = conv(8, 3) from a { padding = 1, kernels = kernel(1) { groups = 8 } }

    layer b1 = conv(16, 3) from a2 { padding = 1, stride = 2 }
    layer b = concat from b1, a2
    layer b2 = conv(16, 3) from b { padding = 1, kernels = kernel(1) { stride = 2 } }

    layer places = sum_pool(7) from b2
    layer out = dense(10) from places
    readout answer = most_spikes from out
}
