; Scalar shifts: down, and left with saturation; amounts act as -31 to 31.
;! rules I12
    addi r1, r0, -3
    addi r2, r0, 3
    addi r3, r0, 1
    shr r4, r1, r3          ; floor(-1.5)
    st r4, n32[0]
    shr r4, r2, r3
    st r4, n32[1]
    addi r3, r0, 40         ; as 31
    shr r4, r1, r3
    st r4, n32[2]
    shr r4, r2, r3
    st r4, n32[3]
    addi r3, r0, -2         ; left
    shr r4, r1, r3
    st r4, n32[4]
    addi r3, r0, -40        ; as -31: saturates
    shr r4, r2, r3
    st r4, n32[5]
    shr r4, r1, r3
    st r4, n32[6]
    shr r4, r0, r3          ; 0
    st r4, n32[7]
    shri r4, r1, 1
    st r4, n32[8]
    shri r4, r1, 0
    st r4, n32[9]
    shri r4, r1, 31
    st r4, n32[10]
    shri r4, r1, -30        ; -3 * 2^30 saturates
    st r4, n32[11]
    addi r5, r0, -1
    shri r4, r5, -31        ; -2^31 exactly: not saturated
    st r4, n32[12]
    shri r4, r2, 32767
    st r4, n32[13]
    shri r4, r2, -32768     ; saturates
    st r4, n32[14]
    lui r3, 0x8000          ; an amount of -2^31
    shr r4, r2, r3          ; saturates
    st r4, n32[15]
    sleep
;! expect n32[0] = -2 1 -1 0 -12 max min 0 -2 -3 -1 min min 0 max max
;! expect saturated = 5
