; The generator: draws by seed, block, draw counter and element. The numbers are from a program in another language,
; written from rules N1 to N3 alone.
;! rules N1 N2 N3 N4
;! seed 5
;! steps 3
;! block 0 tile 0
;! block 1 tile 0
;! packet step 0 block 0
;! packet step 0 block 1
;! packet step 1 block 0
    setvl r0, 8
    special r2, block
    bne r2, r0, other
    ld r3, n32[120]
    bne r3, r0, again
    vidx v0
    addi r1, r0, 2
    vshrs v1, v0, r1        ; draw 0
    vst v1, n32[0]
    addi r2, r0, 1
    vmv v0, r2
    vshrs v1, v0, r2        ; draw 1
    vst v1, n32[8]
    setvl r0, 0
    vshrs v1, v0, r2        ; draw 2: of no element, but a draw
    setvl r0, 4
    vshrs v1, v0, r2        ; draw 3: as the first four of any length
    vst v1, n32[16]
    setvl r0, 8
    vld v0, n32[a/4]
    addi r1, r0, 77         ; as 31
    vshrs v0, v0, r1        ; draw 4
    vst v0, n32[24]
    st r2, n32[120]
    sleep
again:                      ; the counter is kept from step to step
    vld v0, n32[b/4]
    addi r1, r0, 2
    vshrs v1, v0, r1        ; draw 5
    vst v1, n32[32]
    vshrs v1, v0, r0        ; by 0
    vst v1, n32[40]
    sleep
other:
    addi r2, r0, 1
    vmv v0, r2
    vshrs v1, v0, r2        ; draw 0 of block 1
    vst v1, n32[0]
    sleep
    .section n
    .org 400
a:  .word 0x7fffffff, 0x80000000, -1, 0
b:  .word -5, -6, -7, -8
;! expect n32[0] = 0 1 0 1 1 1 2 2
;! expect n32[8] = 0 1 1 1 1 1 1 1
;! expect n32[16] = 0 0 1 1
;! expect n32[24] = 1 -1 0 0
;! expect n32[32] = -1 -2 -1 -2
;! expect n32[40] = -5 -6 -7 -8
;! expect block 1 n32[0] = 0 0 1 1 1 1 1 1
