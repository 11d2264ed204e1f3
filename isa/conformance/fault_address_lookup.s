; The clamped index decides: the table is larger than the memory.
;! rules F1 M8
;! block 0 tile 0 n 64
    setvl r0, 2
    addi r1, r0, 3
    vmv v1, r1
    addi r2, r0, 14
    addi r3, r0, 3
here:
    vlut v0, v1, n32[r2], r3
    sleep
;! expect fault at here = address n 16 count 1 of 16
