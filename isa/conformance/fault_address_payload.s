; There are as many payloads as axons.
;! rules F1 M7
;! block 0 tile 0 axons 6
    ld r1, e32[5]
here:
    ld r1, e32[6]
    sleep
;! expect fault at here = address e 6 count 1 of 6
