network wrong {
    input x = rate(3)
    layer a = dense(2) from x { weights = fixed { values = file("shape.npy") } }
    layer b = dense(2) from a { neurons = leaky { threshold = file("range.npy") } }
    layer c = dense(2) from b { neurons = leaky { threshold = file("none.npy") } }
    layer d = dense(2) from c { weights = fixed { values = file("text.npy") } }
    layer e = dense(2) from d { weights = fixed { values = file("short.npy") } }
    layer f = dense(2) from e { weights = fixed { values = file("huge.npy") } }
    layer g = dense(2) from f { weights = fixed { values = file("nothing.npy") } }
    layer h = dense(2) from g { weights = fixed { values = file("some.npz") } }
    layer i = dense(2) from h { weights = fixed { values = file("some.npz", "conv1.weigth") } }
    layer j = dense(2) from i { weights = fixed { values = file("some.npz", "b") } }
    layer k = dense(2) from j { weights = fixed { values = file("damaged.npz", "b") } }
    layer l = dense(2) from k { weights = fixed { values = file("range.npy", "b") } }
    readout r = spikes from l
}
