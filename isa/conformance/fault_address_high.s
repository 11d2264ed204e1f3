;! rules F1 M6
;! block 0 tile 0 n 64
    setvl r0, 4
    vld v0, n32[12]
here:
    vld v0, n32[13]
    sleep
;! expect fault at here = address n 13 count 4 of 16
