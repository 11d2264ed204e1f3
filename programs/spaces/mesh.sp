# 256 cores that send to each other: two layers of 127 blocks, each of which takes in all of the layer before, and the readout. Nothing is
# learned, weights are as they were drawn: what is looked at is the mesh. See mesh.toml.

network mesh {
    data   = "digits"
    window = 4

    input  pixels = rate(8, 8)

    weights  = fixed { bits = 8 }
    learning = none

    layer first  = dense(1016) from pixels { block = 8 }
    layer second = dense(1016) from first  { block = 8 }

    readout answer = most_spikes from second
}
