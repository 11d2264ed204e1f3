# A network for `onward bandit`: it chooses a class, and only the reward of that class is known. It learns twice as fast as one
# that is told the class.

network bandit {
    parameter side   = 8
    parameter hidden = 128

    data   = "digits"
    epochs = 10
    window = 8

    input  pixels = rate(side, side)
    target class  = classes(10)

    learning = hinge { rate = 8, margin = 0.3, anneal = 2, gate = surrogate }

    layer hidden1 = dense(hidden) from pixels, class { block = 128 }
    layer hidden2 = dense(hidden) from hidden1       { block = 128 }

    readout answer = nearest_target from hidden2
}
