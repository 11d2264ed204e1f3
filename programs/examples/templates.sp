# Digits told apart by templates that were made elsewhere: nothing learns here.

network templates {
    data   = "digits"
    window = 16
    input pixels = rate(8, 8)
    layer classes = dense(10) from pixels {
        weights = fixed { bits = 8, values = file("templates.npz", "weights") }
        neurons = integrate_and_fire { threshold = 2.0, bias = file("templates.npz", "bias") }
    }
    readout answer = most_spikes from classes
}
