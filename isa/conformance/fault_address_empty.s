; A vector of no elements is checked as well.
;! rules F1 M6
;! block 0 tile 0 n 64
here:
    vst v0, n16[33]
    sleep
;! expect fault at here = address n 33 count 0 of 32
