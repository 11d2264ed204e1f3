# The class whose target is found down a binary tree, which grows as classes appear.

network target_tree {
    epochs = 10
    include "common/two-layers.sp"
    readout answer = target_tree from hidden2 { rate = 7, margin = 1.0, anneal = 2, parts = 2 }
}
