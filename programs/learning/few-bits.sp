# Images of 28 x 28 pixels with weights of 8 bits, or of 4: `--set bits=4 --set rounding=carried`. No wider copy of a weight
# exists anywhere: changes are rounded to the bits there are. With 4 bits a step is large: a block adds the changes of 32 samples
# before it rounds, and what is cut off goes on to the neuron's next weight. As rows are short, a core holds 256 neurons.

network few_bits {
    parameter bits     = 8
    parameter rounding = stochastic
    parameter batch    = 1 + 31 * (8 - bits) / 4

    epochs = 10
    window = 8

    input  pixels = rate(28, 28)
    target class  = classes(10)

    # The binary point follows from the width and from what is drawn; `fraction = 9` would say it.
    weights  = fixed { bits = bits }
    learning = hinge { rate = 8, margin = 0.3, anneal = 2, rounding = rounding, batch = batch }

    layer hidden1 = dense(512) from pixels, class { block = 256 }
    layer hidden2 = dense(512) from hidden1       { block = 256 }

    readout answer = nearest_target from hidden2
}
