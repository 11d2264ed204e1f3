; Behind the last instruction there is none.
;! rules F5
    nop
    nop
end:
;! expect fault at end = no-instruction
