# A network in several sizes: `--set width=2` makes it twice as wide.

network parameters {
    parameter width = 1
    parameter hidden = 128 * width
    parameter rule = hinge { rate = 7 }

    include "common/digits.sp"
    learning = rule
    layer hidden1 = dense(hidden) from pixels, digit { block = hidden / 2 }
    layer hidden2 = dense(hidden) from hidden1       { block = hidden / 2 }
    readout answer = nearest_target from hidden2
}
