# Images of 28 x 28 pixels in ten classes by a convolution that learns: MNIST, Fashion-MNIST and their kin.
# Say which with --data FOLDER, and a chip whose cores hold feature maps: --chip convolution.

network mnist_conv {
    parameter kernel   = 11
    parameter channels = 32
    parameter margin   = 0.3
    parameter anneal   = 4
    parameter rate     = 4

    epochs = 3
    window = 8

    input  pixels = rate(28, 28)
    target class  = classes(10)

    neurons  = integrate_and_fire { threshold = 1.0, reset = subtract }
    weights  = fixed { bits = 16, gain = 1.0 }
    learning = hinge { rate = rate, margin = margin, anneal = anneal, gate = surrogate, revive = none }

    # Each block of channels has kernels and a loss of its own; together they answer.
    layer features = conv(channels, kernel) from pixels, class {
        stride = 2, padding = (kernel - 1) / 2, block = 16
    }

    readout answer = nearest_target from features
}
