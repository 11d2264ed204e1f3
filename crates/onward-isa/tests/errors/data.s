; Data in the wrong place, of the wrong size, at the wrong address.
    .byte 1
    .section e
    .section neurons
    .section n
    addi r1, r0, 1
    .byte 256, -129, 1
    .word 7
bias:
    .half 7
    .align 4
    .word 0x1_0000_0000, 0xffff_ffff, r1
    .org 1
    .nibble 1, 9, -8
    .byte 3
    .fill 3
    .fill 3, 4, 5
    .zero -1
    .zero SIZE
    .equ SIZE, later - bias
later:
