; Branches within, to the end of, and out of loops; a skipped loop that leads out.
;! rules L5 L8
    addi r1, r0, 3
    addi r9, r0, 2
    loop r1, end
    addi r2, r2, 1
    beq r2, r9, end         ; to the end: the pass ends, the next begins
    addi r3, r3, 1          ; in two of three
end:
    st r3, n32[0]
    loop r1, out
    addi r4, r4, 1
    beq r4, r9, away        ; out: the loop ends
    addi r5, r5, 1
out:
    st r1, n32[1]           ; jumped over
away:
    st r4, n32[2]
    st r5, n32[3]
    loop r1, two            ; out of two loops at once
    loop r1, one
    addi r6, r6, 1
    beq r6, r9, both
one:
    nop
two:
    nop
both:
    st r6, n32[4]
    loop r1, last           ; all four entries are free again
    loop r1, last
    loop r1, last
    loop r1, last
    addi r7, r7, 1
last:
    st r7, n32[5]
    loop r1, b              ; within, backwards to the start: the same pass
a:  addi r8, r8, 1
    addi r10, r10, 1
    blt r10, r9, a
    addi r10, r0, 0
b:  st r8, n32[6]
    loop r9, d              ; the inner loop is skipped and leads out of the outer one
    addi r11, r11, 1
    loop r0, e
    nop
d:  st r1, n32[1]
e:  st r11, n32[7]
    addi r12, r0, 0
    loop r9, g              ; a jump to before the loop ends it; it is entered anew
f:  addi r12, r12, 1
    addi r13, r0, 4
    nop
g:  st r12, n32[8]
    sleep
;! expect n32[0] = 2 0 2 1 2 81 6 1 2
