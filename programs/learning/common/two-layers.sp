# Two layers that learn by the hinge: digits of 8 x 8 pixels, or with `--set side=28 --set hidden=256 --data FOLDER`
# images of 28 x 28.

parameter side   = 8
parameter hidden = 128

data   = "digits"
window = 8

input  pixels = rate(side, side)
target class  = classes(10)

learning = hinge { rate = 9, margin = 0.3, anneal = 2, gate = surrogate }

layer hidden1 = dense(hidden) from pixels, class { block = 128 }
layer hidden2 = dense(hidden) from hidden1       { block = 128 }
