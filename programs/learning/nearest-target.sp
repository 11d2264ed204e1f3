# The class whose target evokes spikes most like those of the input: compared with every class.

network nearest_target {
    epochs = 10
    include "common/two-layers.sp"
    readout answer = nearest_target from hidden2
}
