network mnist {
    epochs = 10
    window = 8
    neurons = integrate_and_fire { threshold = 1.0, reset = subtract, refractory = 0, bias = 0.0 }
    weights = fixed { bits = 16, gain = 1.0 }
    learning = hinge { margin = 0.3, rate = 8, anneal = 2, gate = surrogate, optimizer = plain, revive = homeostasis }

    input pixels = rate(28, 28)
    target class = classes(10)
    layer hidden1 = dense(512) from pixels, class { block = 128 }
    layer hidden2 = dense(512) from hidden1 { block = 128 }
    readout answer = nearest_target from hidden2
}
