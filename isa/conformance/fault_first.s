; Of several faults of a step the lowest block's; an earlier step's before a later one's.
;! rules F11
;! chip width 3
;! block 0 tile 2 entry late axons 8
;! block 1 tile 1 entry bad axons 8
;! block 2 tile 0 entry bad axons 8
;! steps 3
;! packet step 0 block 2
;! packet step 0 block 1
;! packet step 0 block 0
late:
    special r1, step
    addi r2, r0, 2
    beq r1, r2, bad
    stay
bad:
    setvl r0, -1
    sleep
;! expect fault step 1 block 1 at bad = length -1 of 64
