network additions {
    input x = rate(3, 8, 8)
    target y = classes(10)
    learning = none
    layer a = conv(3, 3) from x { padding = 1 }
    layer b = conv(3, 3) from x
    layer c = add from a, b
    layer d = add from a
    layer e = add from a, y
    layer f = sum_pool(2) from x, y
    layer g = dense(4) from a, b
    readout r = most_spikes from c
}
