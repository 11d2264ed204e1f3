# Handwritten digits of 8 x 8 pixels, learned on the chip by Signal Propagation: no error ever travels backward.

network digits {
    # What `--set bits=8`, or a space that is explored, gives another value.
    parameter bits   = 16   # of a weight: 4, 8 or 16
    parameter hidden = 128  # neurons of a layer
    parameter block  = 64   # neurons that live on one core
    parameter rate   = 7    # weights change by 2^-rate

    data   = "digits"     # a built-in name or a path; --data overrides it
    epochs = 30           # how often the training data is shown
    window = 8            # time steps an image, or its label, is shown

    # Both enter at the front: the image as spikes, the label as a second input that the first layer learns from.
    input  pixels = rate(8, 8)       # evenly spread spikes, as many as the pixel is bright
    target digit  = classes(10)

    # For all layers; a layer's options may say otherwise.
    neurons  = integrate_and_fire { threshold = 1.0, reset = subtract }
    weights  = fixed { bits = bits, gain = 1.0 }
    learning = hinge { rate = rate, margin = 0.3, anneal = 2, gate = surrogate }

    # Each block lives on one core and learns alone, from what it holds itself.
    layer hidden1 = dense(hidden) from pixels, digit { block = block }
    layer hidden2 = dense(hidden) from hidden1       { block = block }

    # The class whose label evokes spikes most like those of the image.
    readout answer = nearest_target from hidden2
}
