; The word behind the last is an allowed end; running into it is a fault.
;! rules L9 F5
    addi r1, r0, 2
    loop r1, end
    nop
end:
;! expect fault at end = no-instruction
