epochs = 3
layer hidden = dense(64) from pixels
