# A signal predicted ahead: the series of Mackey and Glass, six steps after the last of four values that are shown. The layer
# of spiking neurons stays as it is drawn; the readout learns values by the squared error.

network mackey_glass {
    parameter hidden = 256

    data   = "mackey-glass"
    epochs = 30
    window = 32

    input  past  = rate(4, 8)
    target ahead = vector(1)

    learning = none
    layer hidden1 = dense(hidden) from past { block = 128 }

    readout prediction = trained from hidden1, ahead { loss = squared_error, rate = 5 }
}
