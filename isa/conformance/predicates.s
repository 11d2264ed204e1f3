; Comparisons set below VL and clear above; logic on all bits.
;! rules V5 V6 I9
    setvl r0, 6
    vld v1, n32[a/4]
    vld v2, n32[b/4]
    addi r1, r0, 3
    addi r7, r0, 1
    vcge p0, v1, v2         ; 0 1 1 0 1 1
    vsels v0, v1, r0, p0
    vst v0, n32[64]
    vclt p1, v1, v2         ; 1 0 0 1 0 0
    vmv v3, r7
    vsels v0, v3, r0, p1
    vst v0, n32[72]
    vceq p1, v1, v2         ; 0 1 0 0 0 1
    vsels v0, v3, r0, p1
    vst v0, n32[80]
    vcges p2, v1, r1        ; 0 1 1 0 1 0
    vsels v0, v3, r0, p2
    vst v0, n32[88]
    vclts p2, v1, r1        ; 1 0 0 1 0 1
    vsels v0, v3, r0, p2
    vst v0, n32[96]
    vceqs p3, v1, r1        ; 0 1 0 0 1 0
    vsels v0, v3, r0, p3
    vst v0, n32[104]
    pand p3, p0, p2         ; 0 0 0 0 0 1
    pcount r2, p3
    st r2, n32[112]
    por p3, p0, p2          ; all
    pcount r2, p3
    st r2, n32[113]
    setvl r0, 2
    pcount r2, p3           ; of those below VL
    st r2, n32[114]
    pand p3, p3, p3         ; all bits, whatever VL
    setvl r0, 6
    pcount r2, p3
    st r2, n32[115]
    setvl r0, 2
    pnot p1, p0             ; inverted below 2, cleared above
    setvl r0, 6
    pcount r2, p1
    st r2, n32[116]
    setvl r0, 2
    vcges p0, v1, r0        ; above VL cleared: -5 >= 0, 3 >= 0
    setvl r0, 6
    pcount r2, p0
    st r2, n32[117]
    sleep
    .section n
a:  .word -5, 3, 7, -9, 3, -2
b:  .word 0, 3, 6, 1, -3, -2
;! expect n32[64] = 0 3 7 0 3 -2
;! expect n32[72] = 1 0 0 1 0 0
;! expect n32[80] = 0 1 0 0 0 1
;! expect n32[88] = 0 1 1 0 1 0
;! expect n32[96] = 1 0 0 1 0 1
;! expect n32[104] = 0 1 0 0 1 0
;! expect n32[112] = 1 6 2 6 1 1
