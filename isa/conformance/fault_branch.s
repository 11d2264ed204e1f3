; A branch outside the program stops the chip when it is taken.
;! rules F5 I2
    bne r0, r0, -5          ; not taken
here:
    jmp -2
    sleep
;! expect fault at here = no-instruction
