;! rules F1 M6
    addi r1, r0, 2
here:
    st r1, s4[r1-3]
    sleep
;! expect fault at here = address s -1 count 1 of 2048
