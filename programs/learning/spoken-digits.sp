# Ten spoken digits: recordings pass a bank of 32 filters in the data reader and come as 64 rows of loudness by pitch. A
# recurrent layer of leaky neurons with time constants from 2 to 100 steps learns while it listens.
network spoken_digits {
    epochs = 20
    window = 64
    weights = fixed { bits = 16, fraction = 13 }

    input  sound = sequence(3, 32) { change = 0.078 }
    target digit = classes(10)

    layer memory = recurrent(256) from sound, digit {
        recurrent_weights = fixed { bits = 16, fraction = 13, gain = 0.3 },
        block = 64,
        neurons = leaky { leak = spread(0.6, 0.99) },
        learning = hinge { rate = 11, margin = 0.1, every = 8, memory = 3 }
    }

    readout answer = nearest_target from memory
}
