network digits {
    data = "digits"
    epochs = 30
    window = 8
    neurons = integrate_and_fire { threshold = 1.0, reset = subtract, refractory = 0, bias = 0.0 }
    weights = fixed { bits = 16, gain = 1.0 }
    learning = hinge { margin = 0.3, rate = 7, anneal = 2, gate = surrogate, optimizer = plain, revive = homeostasis }

    input pixels = rate(8, 8)
    target digit = classes(10)
    layer hidden1 = dense(128) from pixels, digit { block = 64 }
    layer hidden2 = dense(128) from hidden1 { block = 64 }
    readout answer = nearest_target from hidden2
}
