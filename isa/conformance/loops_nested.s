; Four deep, three of them ending at one address, which costs nothing.
;! rules L4 L5 L6
    addi r1, r0, 2
    addi r2, r0, 3
    loop r1, end
    loop r2, inner
    loop r1, inner
    loop r2, inner
    addi r3, r3, 1          ; 2 * 3 * 2 * 3
inner:
    addi r4, r4, 1          ; 2
end:
    st r3, n32[0]
    st r4, n32[1]
    loop r1, same
    loop r2, same
    addi r5, r5, 1          ; 2 * 3
same:
    st r5, n32[2]
    sleep
;! expect n32[0] = 36 2 6
; outer: 2 times (loop, 3 times (loop, 2 times (loop, 3)), addi)
;! expect computed = 4 + 2 + 1 + 2 * 29 + 2 + 1 + 2 * 4 + 1 + 1
