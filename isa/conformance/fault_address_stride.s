; Element by element: 1, 8, 15, then 22.
;! rules F1 M5
;! block 0 tile 0 n 64
    setvl r0, 8
    addi r1, r0, 7
here:
    vsts v0, n32[1 : r1]
    sleep
;! expect fault at here = address n 22 count 1 of 16
