; Loops with nothing to do, and empty ones: one cycle, no register changed.
;! rules L7 L4
    addi r1, r0, -1
    loop r1, a
    st r1, n32[0]
a:  loop r0, b
    st r1, n32[0]
b:  addi r1, r0, 1000
    loop r1, c              ; empty
c:  addi r5, r0, 5
    addi r6, r0, 6
    foreach r5, r6, d       ; empty: one axon is active, registers stay
d:  st r5, n32[1]
    st r6, n32[2]
    setvl r0, 1
    vceqs p0, v0, r0
    forset r5, p0, e        ; empty
e:  st r5, n32[3]
    forset r5, p1, f        ; no bit
    st r1, n32[0]
f:  st r5, n32[4]
    addi r1, r0, 1
    loop r1, g              ; four loops under way; a fifth without passes is not entered
    loop r1, g
    loop r1, g
    loop r1, g
    loop r0, g
    nop
g:  sleep
;! expect n32[0] = 0 5 6 5 5
;! expect computed = 4 + 1 + 1 + 1 + 1 + 1 + 2 + 1 + 2 + 2 + 1 + 1 + 1 + 1 + 1 + 5 + 1
