; Look-ups: indices outside the table take its ends.
;! rules M8 I8
    setvl r0, 6
    vld v1, n32[indices/4]
    addi r2, r0, table/2
    addi r3, r0, 4
look:
    vlut v0, v1, n16[r2], r3
    vst v0, n32[64]
    addi r3, r0, 1
    vlut v1, v1, n16[r2], r3 ; one entry; into its own indices
    vst v1, n32[72]
    vidx v2
    addi r3, r0, 3
    vlut v2, v2, s4[r0], r3
    vst v2, n32[80]
    setvl r0, 0
    vlut v2, v2, n16[r2], r3 ; nothing: one cycle
    sleep
    .section n
indices:
    .word -1, 0, 2, 3, 4, 0x7fffffff
table:
    .half -100, 200, 300, -400, 9999
    .section s
    .nibble -1, 2, -3, 4
;! expect n32[64] = -100 -100 300 -400 -400 -400
;! expect n32[72] = -100 -100 -100 -100 -100 -100
;! expect n32[80] = -1 2 -3 -3 -3 -3
;! expect elements look = 6
;! expect computed = 4: 4 + 3 + 2 + 6 + 2 + 1 + 6 + 2 + 2 + 1 + 6 + 2 + 1 + 1 + 1, 8: 4 + 3 + 1 + 6 + 1 + 1 + 6 + 1 + 1 + 1 + 6 + 1 + 1 + 1 + 1, 16: 35, 32: 35, 64: 35
