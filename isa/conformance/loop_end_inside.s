; Only the innermost loop is looked at: an outer end reached inside an inner loop is passed over.
;! rules L5
    addi r1, r0, 2
    loop r1, a              ; body up to a
    addi r2, r2, 1
    loop r1, b              ; ends behind a
    addi r3, r3, 1
a:  addi r4, r4, 1          ; the end of the outer loop, inside the inner one
b:  addi r5, r5, 1
    jmp c                   ; out of what is left of the outer loop
c:  loop r1, d              ; four entries are free
    loop r1, d
    loop r1, d
    loop r1, d
    addi r6, r6, 1
d:  st r2, n32[0]
    st r3, n32[1]
    st r4, n32[2]
    st r5, n32[3]
    st r6, n32[4]
    sleep
;! expect n32[0] = 1 2 2 1 16
