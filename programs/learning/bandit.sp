# A network for `onward bandit`: it chooses a class, and only the reward of that class is known.

network bandit {
    epochs = 10
    include "common/two-layers.sp"
    readout answer = nearest_target from hidden2
}
