; A last element that is not whole is none.
;! rules F1 M6
;! block 0 tile 0 a 62
here:
    ld r1, a32[15]
    sleep
;! expect fault at here = address a 15 count 1 of 15
