; Lines that cannot be read at all.
    add r1 r2 r3
    add r1,, r3
    addi r1, r0, 0xfg
    addi r1, r0, (3 + 4
    addi r1, r0, 99999999999999999999
    addi r1, r0, 3 +
    jmp loop:
    // a comment of another language
    addi r1, r0, 'a'
    add r1, r2, r3,
    .include "open
