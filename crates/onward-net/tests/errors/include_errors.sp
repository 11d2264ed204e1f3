network includes {
    include "included/common.sp"
    input x = rate(8)
    layer a = dense(size) from x { block = 9 }
    layer b = dense(4) from a { include "included/twice.sp" }
    layer shared = dense(4) from b
    include common.sp
    readout r = most_spikes from shared
}
