; Instructions one after the other, jumps, branches taken and not.
;! rules I1 I2 I3 I10 E7
    addi r1, r0, 5
    addi r2, r1, 1          ; sees the 5
    addi r3, r0, -1
    nop
    jmp a                   ; 2 cycles
    st r1, n32[0]
a:  beq r1, r1, b           ; taken: 2
    st r1, n32[0]
b:  beq r1, r2, bad         ; not taken: 1
    bne r1, r2, c
    st r1, n32[0]
c:  bne r1, r1, bad
    blt r3, r1, d           ; signed: -1 < 5
    st r1, n32[0]
d:  blt r1, r1, bad
    bge r1, r1, e
    st r1, n32[0]
e:  bge r3, r1, bad
    st r2, n32[1]
    sleep
bad:
    st r1, n32[0]
    sleep
;! expect n32[0] = 0 6
;! expect computed = 4 + 4 + 2 + 2 + 1 + 2 + 1 + 2 + 1 + 2 + 1 + 1 + 1
;! expect cycles = 10 + 24 + 8
