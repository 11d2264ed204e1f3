; Scalar arithmetic, saturating at both ends; each saturation counts, one into r0 as well.
;! rules I11 C3
    lui r1, 0x7fff
    ori r1, r1, 0xffff      ; 2^31 - 1
    lui r2, 0x8000          ; -2^31
    addi r3, r0, 7
    addi r4, r0, -3
    add r5, r3, r4          ; 4
    st r5, n32[0]
    add r5, r1, r3          ; saturates
    st r5, n32[1]
    add r5, r2, r4          ; saturates
    st r5, n32[2]
    sub r5, r4, r3          ; -10
    st r5, n32[3]
    sub r5, r1, r4          ; saturates
    st r5, n32[4]
    sub r5, r2, r3          ; saturates
    st r5, n32[5]
    sub r5, r0, r2          ; 2^31 saturates
    st r5, n32[6]
    mul r5, r3, r4          ; -21
    st r5, n32[7]
    mul r5, r1, r1          ; saturates
    st r5, n32[8]
    mul r5, r1, r2          ; saturates
    st r5, n32[9]
    mul r5, r2, r2          ; saturates
    st r5, n32[10]
    addi r5, r1, 1          ; saturates
    st r5, n32[11]
    addi r5, r2, -1         ; saturates
    st r5, n32[12]
    min r5, r3, r4
    st r5, n32[13]
    max r5, r3, r4
    st r5, n32[14]
    min r5, r2, r1
    st r5, n32[15]
    max r5, r2, r1
    st r5, n32[16]
    add r0, r1, r1          ; saturates, is lost
    addi r0, r0, 9          ; is lost
    st r0, n32[17]
    sleep
    .section n
    .word 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77, 77
;! expect n32[0] = 4 max min -10 max min max -21 max min max max min -3 7 min max 0
;! expect saturated = 11
;! expect computed = 4 + 5 + 17 * 2 + 2 + 1 + 1
