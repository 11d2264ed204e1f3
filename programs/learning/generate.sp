# The other way round: a class is shown, and an image of it comes out. The layer of spiking neurons stays as it is drawn; the
# readout learns the brightness of each pixel by the squared error.

network generate {
    data   = "digits-of-classes"
    epochs = 10
    window = 16

    input  class = rate(10)
    target image = vector(64)

    learning = none
    layer hidden = dense(128) from class { block = 128 }

    readout pixels = trained from hidden, image { loss = squared_error, rate = 8 }
}
