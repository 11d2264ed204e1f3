# Pixels enter as numbers, not as spikes; the first layer makes spikes of them.

network currents {
    data   = "digits"
    window = 8
    input pixels = current(8, 8)
    layer spikes_of_pixels = conv(4, 3) from pixels
    layer classes = dense(10) from spikes_of_pixels
    readout answer = most_spikes from classes
}
