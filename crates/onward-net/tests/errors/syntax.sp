network digits {
    input pixels = rate(8 8)
    target = classes(10)
    epochs 30
    window =
    learning = hinge { rate 7, margin = , anneal = 40 }
    = 4
    layer hidden1 = dense 128 from pixels, digit
    layer hidden2 = dense(128) { block = 64 } from hidden1
    readout answer = nearest_target from hidden2 hidden1
}
