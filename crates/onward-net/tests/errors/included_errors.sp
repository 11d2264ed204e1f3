network includes {
    include "included/mistakes.sp"
    input x = rate(8)
    layer a = dense(size) from x { block = 9 }
    layer shared = dense(4) from a
    readout r = most_spikes from shared
}
