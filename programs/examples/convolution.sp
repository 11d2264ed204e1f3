# Two convolutions and a pool over images of 8 x 8 pixels.

network convolution {
    data    = "digits"
    window  = 16
    weights = fixed { bits = 8 }

    input pixels = rate(8, 8)
    layer edges  = conv(8, 3) from pixels  { padding = 1 }                # 8 x 8 x 8
    layer parts  = conv(16, 3) from edges  { stride = 2, block = 8 }      # 16 x 3 x 3
    layer places = sum_pool(3) from parts                                 # 16 x 1 x 1
    layer classes = dense(10) from places
    readout answer = most_spikes from classes
}
