; Shifts of vectors: down, to the nearest, left.
;! rules V4
    setvl r0, 8
    vld v1, n32[a/4]
    addi r1, r0, 1
    vshr v0, v1, r1
    vst v0, n32[64]
    vshrn v0, v1, r1
    vst v0, n32[72]
    addi r1, r0, 2
    vshr v0, v1, r1
    vst v0, n32[80]
    vshrn v0, v1, r1
    vst v0, n32[88]
    addi r1, r0, 31
    vshrn v0, v1, r1        ; (2^31 - 1) / 2^31 to the nearest is 1
    vst v0, n32[96]
    addi r1, r0, 99
    vshr v0, v1, r1         ; as 31
    vst v0, n32[104]
    vshr v0, v1, r0
    vst v0, n32[112]
    vshrn v0, v1, r0
    vst v0, n32[120]
    addi r1, r0, -30
    vshr v0, v1, r1         ; left
    vst v0, n32[128]
    vshrn v0, v1, r1
    vst v0, n32[136]
    vshrs v0, v1, r1
    vst v0, n32[144]
    addi r1, r0, -99        ; as -31
    vshrs v1, v1, r1
    vst v1, n32[152]
    sleep
    .section n
a:  .word -3, -2, -1, 0, 1, 3, 0x7fffffff, 0x80000000
;! expect n32[64] = -2 -1 -1 0 0 1 0x3fffffff -0x40000000
;! expect n32[72] = -1 -1 0 0 1 2 0x40000000 -0x40000000
;! expect n32[80] = -1 -1 -1 0 0 0 0x1fffffff -0x20000000
;! expect n32[88] = -1 0 0 0 0 1 0x20000000 -0x20000000
;! expect n32[96] = 0 0 0 0 0 0 1 -1
;! expect n32[104] = -1 -1 -1 0 0 0 0 -1
;! expect n32[112] = -3 -2 -1 0 1 3 max min
;! expect n32[120] = -3 -2 -1 0 1 3 max min
;! expect n32[128] = min min -0x40000000 0 0x40000000 max max min
;! expect n32[136] = min min -0x40000000 0 0x40000000 max max min
;! expect n32[144] = min min -0x40000000 0 0x40000000 max max min
;! expect n32[152] = min min min 0 max max max min
;! expect saturated = 3 * 4 + 6
