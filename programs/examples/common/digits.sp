# What networks for the digits have in common; they include it.
data   = "digits"
epochs = 30
window = 8
input  pixels = rate(8, 8)
target digit  = classes(10)
