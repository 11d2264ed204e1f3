; Numbers and registers that do not fit their fields.
    .equ BIG, 0x12345
    addi r1, r0, BIG
    andi r1, r1, -1
    ori r1, r1, BIG
    add r1, r16, r2
    vadd v8, v0, v1
    pnot p4, p0
    ld r1, n32[r2 + 4096]
    vlds v0, n32[r1 + 200 : r2]
    spike p0, 5000
    jmp 40000
    shri r1, r2, 1 << 20
