;! rules F3 V9
    setvl r0, 3
    addi r1, r0, 2
    vext r2, v0, r1
    addi r1, r0, 3
here:
    vext r2, v0, r1
    sleep
;! expect fault at here = element 3 of 3
