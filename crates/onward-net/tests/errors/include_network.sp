network includes {
    include "included/network.sp"
    input x = rate(8)
    layer a = dense(8) from x
    readout r = most_spikes from a
}
