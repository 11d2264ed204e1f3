; A word that is no instruction.
;! rules F5
    jmp here
    sleep
here:
    .word 0xffffffff
;! expect fault at here = no-instruction
