network n {
    window = 8
    neurons = leaky { leak = spread(0.5, 1.5) }
    input  x = sequence(8) { change = 0.1 }
    target y = classes(10)
    layer one = dense(64) from x, y { learning = hinge { every = 3 } }
    layer two = dense(64) from one { learning = hinge { memory = 2 }, neurons = leaky { leak = spread(0.5) } }
    readout z = nearest_target from two
}
