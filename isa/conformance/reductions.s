; Reductions, also of nothing; the sum is saturated once.
;! rules I9 V8 C3
    vsum r1, v0             ; VL is 0
    st r1, n32[64]
    vrmax r1, v0
    st r1, n32[65]
    vrmin r1, v0
    st r1, n32[66]
    vimax r1, v0
    st r1, n32[67]
    vdot r1, v0, v0
    st r1, n32[68]
    setvl r0, 4
    vld v1, n32[a/4]
    vld v2, n32[b/4]
    vsum r1, v1             ; beyond 2^31 on the way: exact
    st r1, n32[69]
    vrmax r1, v1
    st r1, n32[70]
    vrmin r1, v1
    st r1, n32[71]
    vimax r1, v1            ; the lowest of two
    st r1, n32[72]
    vdot r1, v1, v2
    st r1, n32[73]
    vdot r1, v1, v1         ; beyond 2^63: wraps below 0, saturates
    st r1, n32[74]
    vsum r1, v2             ; saturates
    st r1, n32[75]
    setvl r0, 40
    vmv v3, r0
wide:
    vsum r1, v3             ; ceil(40 / lanes) + log2(lanes)
    sleep
    .section n
a:  .word 0x7fffffff, -5, 0x7fffffff, 0x80000000
b:  .word -2, 0x80000000, 1, -1
;! expect n32[64] = 0 min max -1 0 0x7ffffff9 max min 0 max min min
;! expect elements wide = 40
;! expect saturated = 3
;! expect computed = 4: 4 + 12 + 12 * 3 + 4 + 10 + 10 + 2 + 1, 8: 4 + 12 + 12 * 4 + 4 + 5 + 5 + 3 + 1, 16: 4 + 12 + 12 * 5 + 4 + 3 + 3 + 4 + 1, 32: 4 + 12 + 12 * 6 + 4 + 2 + 2 + 5 + 1, 64: 4 + 12 + 12 * 7 + 4 + 1 + 1 + 6 + 1
