# MNIST, each picture moved by up to a pixel before it is learned from. Choose epoch and settings by samples that are kept apart:
# `onward train mnist-augmented.sp --data FOLDER --validate 0.1667`, as testbench/campaigns/validated.sh does.

network mnist_augmented {
    parameter rate = 8
    parameter margin = 0.3
    parameter anneal = 4
    parameter pixels = 1
    parameter block = 128

    augment = shift(pixels)
    epochs = 30
    window = 8

    input  image = rate(28, 28)
    target class = classes(10)

    neurons  = integrate_and_fire { threshold = 1.0, reset = subtract }
    weights  = fixed { bits = 16, gain = 1.0 }
    learning = hinge { rate = rate, margin = margin, anneal = anneal, gate = surrogate }

    layer hidden1 = dense(512) from image, class { block = block }
    layer hidden2 = dense(512) from hidden1      { block = block }

    readout answer = nearest_target from hidden2
}
