# What several networks have in common.
parameter size = 8
epochs = 0
neurons = leaky { leek = shift(3) }
layer shared = dense(4) from a
}
