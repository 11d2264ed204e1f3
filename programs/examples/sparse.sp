# A chain of four neurons, each with a weight for its neighbour's axon only.

network sparse {
    window = 8
    input x = rate(4)
    layer shifted = sparse(4) from x {
        connections = ((0, 1, 1.0), (1, 2, 1.0), (2, 3, 1.0), (3, 0, 1.0))     # from, to, weight
    }
    readout trains = spikes from shifted
}
