# chip: small
network n {
    window = 8
    input  x = rate(1000)
    layer d = delay(100) from x
    layer one = dense(16) from d
    readout z = spikes from one
}
