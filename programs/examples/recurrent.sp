# A reservoir over events of a camera: leaky neurons that hear each other.

network recurrent {
    window = 100
    input events = events(2, 8, 8)
    layer reservoir = recurrent(200) from events {
        neurons = leaky { leak = shift(3), refractory = 2 }
        recurrent_weights = fixed { bits = 8, gain = 0.5 }
        block = 50
    }
    layer classes = dense(4) from reservoir
    readout answer = most_spikes from classes
}
