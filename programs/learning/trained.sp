# The class that an output layer of its own speaks for: its rule is local to it, and nothing flows back.

network trained_readout {
    epochs = 10
    include "common/two-layers.sp"
    readout answer = trained from hidden2 { loss = hinge { margin = 1.0 }, rate = 8, anneal = 2, bits = 16 }
}
