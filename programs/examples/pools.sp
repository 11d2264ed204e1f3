# What is between layers: pools, flattening and delay.

network pools {
    window = 16
    input pixels = rate(16, 16)
    layer map    = conv(4, 3) from pixels { padding = 1 }     # 4 x 16 x 16
    layer some   = max_pool(2) from map                       # 4 x 8 x 8, a step later
    layer mean   = average_pool(4) from some                  # 4 x 2 x 2
    layer row    = flatten from mean                          # 16
    layer late   = delay(3) from row                          # the same spikes, three steps later
    layer out    = dense(10) from late
    readout answer = most_spikes from out
}
