# --set hiden=8
# --set hidden=0
# --set rate=fast
# --set set=4 4
# --set set=5
network settings {
    parameter hidden = 12
    parameter rate = 7
    parameter set = 3
    learning = hinge { rate = rate }
    input x = rate(8)
    target y = classes(2)
    layer a = dense(hidden) from x, y
    readout r = nearest_target from a
}
