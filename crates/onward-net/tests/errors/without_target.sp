network no_target {
    input x = rate(4)
    layer a = dense(4) from x { learning = hinge }
    readout r = nearest_target from a
}
