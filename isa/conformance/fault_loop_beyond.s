;! rules L9 F5
here:
    loop r0, 3              ; the program has two words
    sleep
;! expect fault at here = no-instruction
