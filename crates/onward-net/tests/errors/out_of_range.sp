network digits {
    input pixels = rate(65536, 65536)
    target digit = classes(1)
    epochs = 0
    window = 300
    neurons = integrate_and_fire { threshold = 0 }
    weights = fixed { bits = 12, gain = -1.0 }
    learning = hinge { rate = 21, margin = 1e3, anneal = 99999999999999999999 }
    layer hidden1 = dense(64) from pixels, digit { block = 128 }
    layer hidden2 = dense(128) from hidden1 { block = 0 }
    readout answer = nearest_target from hidden2
}
