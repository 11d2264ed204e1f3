;! rules F6 L4
    addi r1, r0, 1
    loop r1, end
    loop r1, end
    loop r1, end
    loop r1, end
here:
    loop r1, end
    nop
end:
    sleep
;! expect fault at here = loop-depth
