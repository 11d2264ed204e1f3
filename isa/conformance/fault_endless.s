;! rules F10
;! slow
;! lanes 16
here:
    jmp 0
;! expect fault at here = endless
