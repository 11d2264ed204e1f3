;! rules F5
here:
    beq r0, r0, 3           ; the word behind the last is 2 away
    sleep
;! expect fault at here = no-instruction
