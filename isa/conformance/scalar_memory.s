; Loads, stores, updates of each width: order of bytes, sign, neighbours, both ends, cycles.
;! rules I4 I5 M1 M3 M9
    addi r1, r0, 2
    ld r2, n32[0]
    st r2, n32[16]
    ld r2, n16[0]           ; low half first
    st r2, n32[17]
    ld r2, n16[r1-1]
    st r2, n32[18]
    ld r2, n8[3]
    st r2, n32[19]
    ld r2, s4[0]            ; low nibble first
    st r2, n32[20]
    ld r2, s4[1]
    st r2, n32[21]
    ld r2, a16[r1]
    st r2, n32[22]
    addi r3, r0, 1000
    st r3, n8[16]           ; 127, saturated
    sub r4, r0, r3
    st r4, n8[17]           ; -128, saturated
    st r4, n16[9]           ; -1000
    st r3, s4[3]            ; 7, saturated; its neighbour stays
    st r4, s4[4]            ; -8, saturated
    addi r5, r0, -7
    st r5, s4[5]
    addi r5, r0, 100
    addm r5, a8[0]          ; 100 + 100 -> 127, saturated
    addm r5, a8[1]          ; -100 + 100
    addi r5, r0, -100
    addm r5, a8[1]
    addm r5, a8[1]          ; -200 -> -128, saturated
    addm r1, s4[8]          ; 6 + 2 -> 7, saturated
    addm r1, s4[9]          ; -8 + 2
    lui r6, 0x7fff
    addm r6, n32[5]         ; saturates at 32 bits
    st r3, s32[2]
    st r4, a32[2]
    sleep
    .section n
    .byte 0x78, 0x56, 0x34, 0x92
    .org 20
    .word 0x70000000
    .section a
    .byte 100, -100, 0, 0
    .half -2
    .section s
    .nibble -3, 5, 1, 1, 2, 2, 3, 3, 6, -8
;! expect n32[16] = -1842063752 0x5678 -28108 -110 -3 5 -2
;! expect n8[16] = 127 -128
;! expect n16[9] = -1000
;! expect n32[5] = max
;! expect s4[0] = -3 5 1 7 -8 -7 3 3 7 -6
;! expect s32[2] = 1000
;! expect a8[0] = 127 -128 0 0 -2 -1
;! expect a32[2] = -1000
;! expect saturated = 8
;! expect computed = 4 + 1 + 7 * 3 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 2 + 2 + 1 + 2 + 2 + 2 + 2 + 1 + 2 + 1 + 1 + 1
