; As above, where the later fault is in a block that the other one takes packets from.
;! rules F11
;! chip width 2
;! block 0 tile 0 entry late axons 8
;! block 1 tile 1 entry bad axons 8 host-axons 2
;! route 0 indices 2 to block 1 axon 2
;! steps 4
;! packet step 0 block 0
;! packet step 0 block 1
late:
    special r1, step
    addi r2, r0, 3
    beq r1, r2, bad
    stay
bad:
    setvl r0, -1
    sleep
;! expect fault step 1 block 1 at bad = length -1 of 64
