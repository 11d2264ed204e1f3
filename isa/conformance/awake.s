; Which steps a block runs in: those after packets, and those after `stay`.
;! rules E1 E7 B2
;! steps 7
;! packet step 1
;! packet step 5
    ld r1, n32[0]
    addi r1, r1, 1
    st r1, n32[0]
    special r2, step
    st r2, n32[r1]          ; which steps
    addi r3, r0, 3
    bge r1, r3, off
    stay
off:
    sleep
; In the third run, in step 4, it sleeps; a packet sent in step 5 wakes it in step 6.
;! expect n32[0] = 4 2 3 4 6 0
;! expect computed = 4 * 4 + 2 * 9 + 2 * 10
; Steps 0, and the others with nothing to do: the barrier alone. The host's packet: 2 cycles.
;! expect cycles = 8 + 10 + 8 + 13 + 8 + 13 + 8 + 14 + 10 + 8 + 14
