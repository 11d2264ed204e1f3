; Selection, and addition where a predicate is set.
;! rules V7
    setvl r0, 4
    vld v1, n32[a/4]
    vld v2, n32[b/4]
    addi r1, r0, 9
    vcges p3, v2, r0        ; 1 0 1 0
    vsel v0, v1, v2, p3
    vst v0, n32[64]
    vsel v2, v2, v1, p3     ; into an operand
    vst v2, n32[68]
    vsels v0, v1, r1, p3
    vst v0, n32[72]
    vaddp v0, v1, r1, p3    ; saturates where the bit is set, not elsewhere
    vst v0, n32[76]
    vaddp v1, v1, r0, p0
    vst v1, n32[80]
    sleep
    .section n
a:  .word 10, 20, 0x7ffffffe, 0x7fffffff
b:  .word 5, -5, 0, -1
;! expect n32[64] = 10 -5 0x7ffffffe -1
;! expect n32[68] = 5 20 0 max
;! expect n32[72] = 10 9 0x7ffffffe 9
;! expect n32[76] = 19 20 max max
;! expect n32[80] = 10 20 0x7ffffffe max
;! expect saturated = 1
