# Two convolutions that learn the digits; the target reaches each of them directly, by a table of its own, and no window shows it.
#
#     onward train programs/learning/direct.sp --chip convolution

network direct {
    data   = "digits"
    epochs = 10
    window = 8

    input  pixels = rate(8, 8)
    target digit  = classes(10)

    learning = hinge { rate = 5, margin = 1, target = direct { grid = 4 }, revive = none }

    layer conv1 = conv(16, 3) from pixels { padding = 1, block = 16 }
    layer conv2 = conv(16, 3) from conv1  { padding = 1, block = 16 }

    readout answer = nearest_target from conv2
}
