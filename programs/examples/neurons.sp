# Neurons of each kind, and numbers of each neuron's own.

network neurons {
    window = 20
    input x = latency(6)

    layer plain = dense(3) from x {
        neurons = integrate_and_fire { threshold = (0.5, 1.0, 1.5), reset = zero }
    }
    layer leaking = dense(3) from plain {
        neurons = leaky { leak = factor(0.9), reset = to(-0.5), refractory = 2 }
    }
    layer slow = dense(3) from leaking {
        neurons = current_based { current = factor(0.8), leak = shift(4), bias = 0.01 }
    }
    readout trains = spikes from slow
}
