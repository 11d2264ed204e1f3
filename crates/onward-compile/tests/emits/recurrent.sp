# chip: middle
# passes: generate partition
network recurrent {
    window  = 8
    input x = rate(3, 6, 6)
    layer m = max_pool(2) from x
    layer d = delay(3) from m
    layer r = recurrent(300) from d { block = 300 }
    readout z = most_spikes from r
}
