# `programs/learning/mnist-200.sp` with parameters, for `onward explore`: see mnist-200.toml and mnist-98.toml.

network mnist_200 {
    parameter bits  = 16    # of a weight
    parameter steps = 8     # that an image, or its label, is shown
    parameter block = 100   # neurons of the first layer that live on one core

    epochs = 10
    window = steps

    input  pixels = rate(28, 28)
    target class  = classes(10)

    weights  = fixed { bits = bits }
    learning = hinge { rate = 9, margin = 0.3, anneal = 2 }

    layer hidden1 = dense(200) from pixels, class { block = block }
    layer hidden2 = dense(200) from hidden1       { block = 200 }

    readout answer = nearest_target from hidden2
}
