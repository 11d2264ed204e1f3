# MNIST by a convolution that learns, each picture moved by up to a pixel before it is learned from. The best epoch is chosen by
# samples that are kept apart: `onward train mnist-conv-augmented.sp --chip convolution --data FOLDER --validate 0.16667`.

network mnist_conv_augmented {
    parameter kernel   = 11
    parameter channels = 32
    parameter margin   = 0.3
    parameter anneal   = 4
    parameter rate     = 4
    parameter shifted  = 1

    augment = shift(shifted)
    epochs  = 10
    window  = 8

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
