; An operand of the wrong kind: usually there is an instruction that takes it.
    add r1, r2, 5
    vadd v0, v1, r2
    vacc v0, s16[row r1 - 1]
    vld r0, n32[r1]
    addi r1, 5, r2
    vlut v0, v1, n16[r2 + 4], r3
    bne r1, 0, 4
    ld r1, r2
    spike v0, 0
