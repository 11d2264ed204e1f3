; The product is exact, beyond 32 bits as well.
;! rules F1 M4
;! block 0 tile 0 s 64
    lui r1, 0x4000
    setrow r1, 0
    setvl r0, 1
here:
    vaccr v0, s16[row r1]
    sleep
;! expect fault at here = address s 1152921504606846976 count 1 of 32
