network lists {
    input x = rate(4)
    layer a = dense(3) from x { neurons = leaky { threshold = (1.0, 2.0) } }
    layer b = dense(2) from a { neurons = leaky { bias = (1.0, 2000.0) } }
    layer c = dense(2) from b { neurons = leaky { threshold = (1.0, two) } }
    layer d = dense(2) from c { weights = fixed { values = ((1, 2), (3, 4, 5)) } }
    layer e = dense(2) from d { weights = fixed { values = ((1, 2, 3), (3, 4, 5)) } }
    layer f = dense(2) from e { weights = fixed { gain = 0.5, fraction = 3, values = 1.0 } }
    layer g = recurrent(2) from f { recurrent_weights = fixed { values = (1, 2) } }
    layer h = dense(2) from g { neurons = leaky { threshold = () } }
    layer i = conv(2, 1, 2) from h { weights = fixed { values = ((1, 2), (3, 4)) } }
    readout r = spikes from i
}
