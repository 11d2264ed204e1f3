network digits {
    epochs = 3
}
