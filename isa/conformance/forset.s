; The set bits of a predicate, whatever VL; the body may change it.
;! rules L3
    setvl r0, 64
    vidx v0
    addi r1, r0, 3
    vceqs p0, v0, r1
    addi r1, r0, 63
    vceqs p1, v0, r1
    por p0, p0, p1
    vceqs p1, v0, r0
    por p0, p0, p1          ; 0, 3, 63
    setvl r0, 1
    addi r7, r0, 8
    forset r1, p0, end
    st r1, n32[r7]
    addi r7, r7, 1
end:
    st r1, n32[0]
    ; Cleared by the first pass: no second one. And what is set later, above, is visited; below is not.
    setvl r0, 64
    forset r2, p0, changed
    addi r3, r3, 1
    addi r4, r2, 40
    vceqs p0, v0, r4        ; 0: then 40. 40: 80 is none
changed:
    st r3, n32[1]
    st r2, n32[2]
    vceqs p0, v0, r0
    forset r0, p0, lost
    st r0, n32[3]
lost:
    vclts p2, v0, r0        ; none
    forset r5, p2, none
    st r1, n32[4]
none:
    st r5, n32[5]
    sleep
    .section n
    .word 9, 9, 9, 9, 9, 9
;! expect n32[0] = 63 2 40 0 9 0
;! expect n32[8] = 0 3 63 0
