# A skip: what `second` makes is added to what it is made of. The shorter way is delayed to meet the longer one in step.

network skip {
    window = 16
    input pixels  = rate(3, 8, 8)
    layer first   = conv(8, 3) from pixels { padding = 1 }
    layer second  = conv(8, 3) from first  { padding = 1 }
    layer both    = add from first, second
    layer classes = dense(10) from both
    readout answer = most_spikes from classes
}
