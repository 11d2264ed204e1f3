# What rounding cuts off is carried on where a row is changed once by all paths: a velocity, and changes from step to step, are
# rounded otherwise.
network carried {
    input  pixels = rate(8)
    target class  = classes(2)

    layer velocity = dense(8) from pixels, class { block = 8, learning = hinge { rounding = carried, optimizer = momentum } }
    layer adaptive = dense(8) from velocity      { block = 8, learning = hinge { rounding = carried, optimizer = adaptive } }
    layer steps    = dense(8) from adaptive      { block = 8, learning = hinge { rounding = carried, every = 4, revive = none } }

    readout answer = nearest_target from steps
}
