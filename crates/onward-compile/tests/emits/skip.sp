# chip: middle
# passes: balance fixed-point partition balance.dot
network skip {
    window  = 16
    input x = rate(2, 6, 6)
    layer a = conv(4, 3) from x { padding = 1, block = 2, rows = 3 }
    layer b = conv(4, 3) from a { padding = 1 }
    layer s = add from a, b
    layer p = average_pool(2) from s
    layer y = dense(10) from p
    readout z = most_spikes from y
}
