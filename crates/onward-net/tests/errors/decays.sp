network neurons {
    input x = rate(4)
    neurons = leaky { leak = shift(0) }
    layer a = dense(3) from x { neurons = leaky { leak = factor(1.5) } }
    layer b = dense(3) from a { neurons = leaky { leak = 0.9 } }
    layer c = dense(3) from b { neurons = integrate_and_fire { leak = shift(4) } }
    layer d = dense(3) from c { neurons = current_based { current = shift, refractory = 256 } }
    layer e = dense(3) from d { neurons = leaky { reset = to(5000) } }
    layer f = dense(3) from e { neurons = leaky { reset = zero(1) } }
    layer g = dense(3) from f { neurons = lif }
    readout r = spikes from g
}
