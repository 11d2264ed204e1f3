; Labels, constants and special registers that do not exist.
    .equ MEMBRANE, 64
    .equ OFFSET, MEMBRAN + 4
loop_start:
    addi r1, r1, -1
    bne r1, r0, lop_start
    ld r2, n32[r1 + MEMBRNE]
    jmp finish
    special r3, postion
    setvl r0, LANES
