# The same with the squared error: the output of the own class shall be 1.0, that of all others 0.0.

network least_squares {
    epochs = 10
    include "common/two-layers.sp"
    readout answer = trained from hidden2 { loss = squared_error, rate = 8, anneal = 2, bits = 16 }
}
