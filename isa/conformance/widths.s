; Elements of each width, from bases of any alignment. Stores saturate to the width; the neighbours stay.
;! rules M1 M2 M3
    setvl r0, 5
    addi r1, r0, 3
    vld v0, n32[values/4]
    vst v0, s4[r1]
    vst v0, s8[r1+8]
    vst v0, s16[r1+16]
    vst v0, s32[r1+16]
    vst v0, a8[1]
    vst v0, a16[r1+8]
    vst v0, a32[r1+16]
    vst v0, n8[r1+200]
    vst v0, n16[r1+200]
    vld v1, s4[r1-1]
    vst v1, n32[64]
    vld v1, s8[r1+9]
    vst v1, n32[72]
    vld v1, s16[r1+15]
    vst v1, n32[80]
    vld v1, s32[r1+16]
    vst v1, n32[88]
    vacc v1, s16[r1+16]
    vacc v1, n32[values/4]
    vst v1, n32[96]
    sleep
    .section n
values:
    .word 3, -9, 200, -40000, 0x7fffffff
    .section s
    .zero 1
    .nibble 5, 0, 0, 0, 0, 0, 6
;! expect s4[0] = 0 0 5 3 -8 7 -8 7 6
;! expect s8[10] = 0 3 -9 127 -128 127 0
;! expect s16[18] = 0 3 -9 200 -32768 32767 0
;! expect s32[18] = 0 3 -9 200 -40000 max 0
;! expect a8[0] = 0 3 -9 127 -128 127 0
;! expect a16[10] = 0 3 -9 200 -32768 32767 0
;! expect a32[18] = 0 3 -9 200 -40000 max 0
;! expect n8[202] = 0 3 -9 127 -128 127 0
;! expect n16[202] = 0 3 -9 200 -32768 32767 0
;! expect n32[64] = 5 3 -8 7 -8
;! expect n32[72] = -9 127 -128 127 0
;! expect n32[80] = 0 3 -9 200 -32768
;! expect n32[88] = 3 -9 200 -40000 max
;! expect n32[96] = 9 -27 600 -112768 max
; s4: 4, s8: 3, s16: 2, s32: 0, a8: 3, a16: 2, a32: 0, n8: 3, n16: 2, vacc: 1 + 1
;! expect saturated = 4 + 3 + 2 + 3 + 2 + 3 + 2 + 2
