# Images of 28 x 28 pixels in ten classes by a convolution that learns: MNIST, Fashion-MNIST and their kin.
# Say which with --data FOLDER, and a chip whose cores hold feature maps: --chip convolution.

network mnist_conv {
    epochs = 3
    window = 4

    input  pixels = rate(28, 28)
    target class  = classes(10)

    neurons  = integrate_and_fire { threshold = 1.0, reset = subtract }
    weights  = fixed { bits = 16, gain = 1.0 }
    learning = hinge { rate = 4, margin = 0.3, anneal = 4, gate = surrogate, revive = none }

    layer features = conv(32, 7) from pixels, class { stride = 2, padding = 3, block = 16 }

    readout answer = nearest_target from features
}
