; What follows a store, or changes the predicate of its own loop, costs no cycle and sees what was written.
;! rules M10 L10 I4 I5 L3
    setvl r0, 4
    vld v1, n32[a/4]
    vst v1, n32[64]
    vld v2, n32[64]         ; the same words
    vst v2, n32[66]
    vld v3, n32[64]         ; two of them
    vst v3, n32[72]         ; 7
    addi r1, r0, 5
    st r1, n32[80]
    ld r2, n32[80]          ; 2
    addm r2, n32[80]        ; 2
    ld r3, n32[80]          ; 2
    st r3, n32[81]          ; 9
    vidx v0
    vcges p0, v0, r0        ; all four
    addi r7, r0, 2          ; 3
    forset r5, p0, end
    addi r4, r4, 1
    vclts p0, v0, r7        ; 0 and 1 remain; 2 passes of 2 cycles: 5
end:
    st r4, n32[82]
    st r5, n32[83]
    vcges p0, v0, r7
    forset r5, p0, last     ; the predicate of the instruction before: 2 and 3
    addi r6, r6, 1
last:
    st r6, n32[84]
    st r5, n32[85]
    sleep                   ; 2 + 1 + 1 + 2 + 2 + 1
    .section n
a:  .word 7, -8, 9, -10
;! expect n32[64] = 7 -8 7 -8 9 -10
;! expect n32[72] = 7 -8 7 -8
;! expect n32[80] = 10 10 2 1 2 3
;! expect computed = 4 + 7 + 9 + 3 + 5 + 9
