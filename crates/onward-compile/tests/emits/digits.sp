# chip: small
# passes: parse fixed-point partition generate assemble place route link partition.dot place.dot route.dot
network digits {
    window = 4
    learning = hinge
    input  pixels = rate(3, 3)
    target class  = classes(2)
    layer hidden  = dense(8) from pixels, class { block = 4 }
    readout answer = nearest_target from hidden
}
