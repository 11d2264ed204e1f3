# Convolutions that learn one behind the other: the target reaches each of them directly, by a table of its own. A layer is a block, so
# that all its channels share a loss; that asks for a chip with longer vectors and larger memories than the built-in ones:
#
#     onward train testbench/campaigns/depth.sp --data MNIST --chip convolution \
#         --chip-set core.vector_length=512 --chip-set memory.axons=65536 --chip-set memory.synapse_bytes=1048576 \
#         --chip-set memory.neuron_bytes=1048576 --chip-set memory.axon_bytes=1048576

network depth {
    epochs = 3
    window = 8

    input  pixels = rate(28, 28)
    target digit  = classes(10)

    learning = hinge { rate = 5, margin = 1, target = direct { grid = 4 }, revive = none }

    layer conv1 = conv(16, 5) from pixels { padding = 2, block = 16 }
    layer pool1 = sum_pool(2) from conv1
    layer conv2 = conv(32, 3) from pool1 { padding = 1, block = 32, weights = fixed { gain = 0.5 } }
    layer pool2 = sum_pool(2) from conv2
    layer conv3 = conv(32, 3) from pool2 { padding = 1, block = 32, weights = fixed { gain = 0.5 } }

    readout answer = nearest_target from conv3
}
