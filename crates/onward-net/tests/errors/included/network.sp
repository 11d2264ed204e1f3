epochs = 3
network inner {
    window = 8
}
