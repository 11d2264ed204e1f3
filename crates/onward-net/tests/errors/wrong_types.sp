network digits {
    input pixels = rate("8", 8)
    target digit  = classes(10)
    data = digits
    epochs = "thirty"
    window = 8.5
    neurons = 3
    weights = fixed { bits = eight, gain = "large" }
    learning = hinge { gate = 1 }
    layer hidden1 = 128
    layer hidden2 = dense(128) from hidden1
    readout answer = nearest_target from hidden2
}
