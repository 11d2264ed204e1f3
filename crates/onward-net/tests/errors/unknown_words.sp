network digits {
    input pixels = latancy(8, 8)
    target digit  = classes(10)
    epoch = 3
    speed = 3
    learning = hing { rate = 7 }
    weights = fixed { bit = 8 }
    neurons = integrate_and_fire { reset = nought }
    layr hidden1 = dense(128) from pixels, digit
    layer hidden2 = dens(128) from hidden1 { blok = 64 }
    readout answer = nearest_target from hiden2
}
