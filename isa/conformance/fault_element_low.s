;! rules F3 V9
    setvl r0, 3
    addi r1, r0, -1
here:
    vins v0, r1, r1
    sleep
;! expect fault at here = element -1 of 3
