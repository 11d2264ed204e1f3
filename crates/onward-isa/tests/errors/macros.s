; What is wrong inside a macro is shown at the call, with the macro's line beside it.
    .equ STEP, 1 / ZERO
    .equ ZERO, 0
    .equ EGG, CHICKEN + 1
    .equ CHICKEN, EGG + 1
    .reg r1, r2
    .reg weight, 5

    .macro integrate memory, axon
    vaccr v0, memory[row axon]
    addi axon, axon, 100000
again:
    bne axon, r0, agin
    .endm

    .macro forever
    forever
    .endm

    .macro add a
    .endm

    integrate s16, r1
    integrate s16
    integrate s12, 1
    integrat s16, r1
    jmp again
    .equ row, 1
    .endm
    forever
    .macro open
