; The ends that no other vector reaches: the lower of vadds, vaddp, vmac, vacc and vaccr, the upper of vaccr and vsum. A
; result that is exactly at an end is not saturated.
;! rules V3 V7 V8 C3
    setvl r0, 4
    setrow r0, 4
    vld v1, n32[a/4]
    vld v2, n32[b/4]
    vld v3, n32[c/4]
    vld v4, n32[h/4]
    addi r1, r0, -1
    vadds v0, v1, r1        ; the second is exact
    vst v0, n32[64]
    vidx v5
    addi r2, r0, 2
    vclts p0, v5, r2        ; 1 1 0 0
    addi r1, r0, -3
    vaddp v0, v1, r1, p0    ; the third is not asked for
    vst v0, n32[68]
    vadds v0, v1, r0        ; a copy of a
    vmac v0, v2, v3
    vst v0, n32[72]
    vadds v0, v1, r0
    vacc v0, n32[c/4]
    vst v0, n32[76]
    vadds v0, v1, r0
    vaccr v0, s16[row r0]
    vst v0, n32[80]
    vadds v0, v4, r0        ; a copy of h
    vaccr v0, s16[row r0+1]
    vst v0, n32[84]
    setvl r0, 1
    vsum r1, v4             ; exact
    st r1, n32[88]
    setvl r0, 2
    vsum r1, v4
    st r1, n32[89]
    sleep
    .section n
a:  .word 0x80000000, 0x80000001, 0x80000000, 5
b:  .word 3, 1, 0, 2
c:  .word -1, -2, -3, -4
h:  .word 0x7fffffff, 0x7ffffffe, 3, 0x7fffffff
    .section s
    .half -1, -1, 0, -5
    .half 1, 1, 1, -1
;! expect n32[64] = min min min 4
;! expect n32[68] = min min min 5
;! expect n32[72] = min min min -3
;! expect n32[76] = min min min 1
;! expect n32[80] = min min min 0
;! expect n32[84] = max max 4 0x7ffffffe
;! expect n32[88] = max max
; vadds, vaddp, vmac, vacc, vaccr, vaccr, vsum
;! expect saturated = 2 + 2 + 2 + 3 + 1 + 1 + 1
