# A reset that subtracts what is below 0 raises the membrane with each spike.
network random {
    epochs = 1
    window = 60
    neurons = leaky { leak = shift(14), threshold = 0.390625, reset = subtract, refractory = 1, bias = 0.0 }
    learning = none

    input x = rate(1, 1)
    layer n1 = dense(3, 3, 5) from x { block = 10, weights = fixed { bits = 8, values = 0.828125 } }
    layer n2 = conv(4, 2, 4) from n1 { stride = (1, 1), padding = (0, 3), padding_end = (0, 3), dilation = (1, 1), groups = 1, block = 1, rows = 1, neurons = integrate_and_fire { threshold = (((0.546875, 0.125, 0.125, 0.125, 0.765625, 0.59375, 0.796875, 0.390625), (1.453125, 0.828125, 1.25, 0.125, 0.609375, 1.109375, 1.0, 1.4375)), ((0.4375, 1.0625, 1.453125, 1.234375, 0.359375, 0.296875, 0.515625, 0.625), (0.421875, 0.390625, 0.125, 0.375, 1.0, 1.328125, 0.75, 1.5)), ((0.1875, 1.4375, 1.40625, 1.25, 0.640625, 0.140625, 1.359375, 0.796875), (1.484375, 0.421875, 1.21875, 0.125, 0.15625, 0.484375, 0.3125, 0.75)), ((0.8125, 1.25, 1.0625, 0.5, 1.40625, 0.921875, 1.0, 0.984375), (0.59375, 1.4375, 0.125, 0.125, 0.125, 0.609375, 0.15625, 0.546875))), fires = above, reset = subtract(-0.5), refractory = 1, bias = -0.15625 }, weights = fixed { bits = 8, gain = 0.953125 } }
    layer n3 = delay(1) from n2 { window = stays }
    layer n4 = conv(16, 1, 3) from n3 { stride = (1, 1), padding = (0, 0), padding_end = (0, 2), dilation = (3, 2), groups = 4, block = 4, neurons = current_based { current = none, leak = none, threshold = 0.421875, reset = none, refractory = 0, bias = 0.0 }, weights = fixed { bits = 8, gain = 2.296875 } }
    layer n5 = flatten from n4
    layer n6 = conv(2, 1, 1) from n5 { stride = (1, 5), padding = (0, 0), padding_end = (0, 0), dilation = (1, 2), groups = 1, block = 1, rows = 1, neurons = integrate_and_fire { threshold = -0.171875, reset = subtract, refractory = 0, bias = 0.0 }, weights = fixed { bits = 4, values = ((((1.796875,),),), (((0.03125,),),)) } }
    readout answer = spikes from n6
}
