; Arithmetic of vectors, at both ends.
;! rules V2 V3 C1 C3
    setvl r0, 5
    vld v1, n32[a/4]
    vld v2, n32[b/4]
    vld v3, n32[c/4]
    vadd v0, v1, v2
    vst v0, n32[64]
    vsub v0, v1, v2
    vst v0, n32[72]
    vmul v0, v1, v2
    vst v0, n32[80]
    vmin v0, v1, v2
    vst v0, n32[88]
    vmax v0, v1, v2
    vst v0, n32[96]
    vadds v4, v3, r0        ; a copy of c
mac:
    vmac v3, v1, v2         ; the exact sum is saturated once
    vst v3, n32[104]
    vmac v4, v4, v4         ; all the same register
    vst v4, n32[112]
    sleep
    .section n
a:  .word 7, 0x7fffffff, 0x80000000, 0x80000000, 65536
b:  .word -3, 1, -1, 0x80000000, 65536
c:  .word 1, -10, -10, -1, 50000
;! expect n32[64] = 4 max min min 131072
;! expect n32[72] = 10 0x7ffffffe -0x7fffffff 0 0
;! expect n32[80] = -21 max max max max
;! expect n32[88] = -3 1 min min 65536
;! expect n32[96] = 7 max -1 min 65536
;! expect n32[104] = -20 0x7ffffff5 0x7ffffff6 max max
;! expect n32[112] = 2 90 90 0 max
;! expect saturated = 3 + 3 + 2 + 1
;! expect elements mac = 5
;! expect executed mac = 1
