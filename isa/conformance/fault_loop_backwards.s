; A loop's end lies behind it, whether or not it has anything to do.
;! rules L9 F5
    nop
here:
    loop r0, 0
    sleep
;! expect fault at here = no-instruction
