; Arithmetic of vectors with a scalar, at both ends.
;! rules V3
    setvl r0, 4
    vld v1, n32[a/4]
    addi r1, r0, 3
    vadds v0, v1, r1
    vst v0, n32[64]
    vsubs v0, v1, r1
    vst v0, n32[68]
    vmuls v0, v1, r1
    vst v0, n32[72]
    vmins v0, v1, r1
    vst v0, n32[76]
    vmaxs v0, v1, r1
    vst v0, n32[80]
    vmv v2, r1
    vmacs v2, v1, r1
    vst v2, n32[84]
    addi r1, r0, -1
    vmacs v2, v1, r1        ; from 2^31 - 1: not saturated
    vst v2, n32[88]
    vmacs v2, v1, r0        ; adds nothing
    vst v2, n32[92]
    lui r1, 0x8000
    vsubs v0, v1, r1        ; minus -2^31
    vst v0, n32[96]
    sleep
    .section n
a:  .word -5, 10, 0x7fffffff, 0x80000000
;! expect n32[64] = -2 13 max -0x7ffffffd
;! expect n32[68] = -8 7 0x7ffffffc min
;! expect n32[72] = -15 30 max min
;! expect n32[76] = -5 3 3 min
;! expect n32[80] = 3 10 max 3
;! expect n32[84] = -12 33 max min
;! expect n32[88] = -7 23 0 0
;! expect n32[92] = -7 23 0 0
;! expect n32[96] = 0x7ffffffb max max 0
;! expect saturated = 8
