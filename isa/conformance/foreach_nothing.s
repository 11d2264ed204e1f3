; No active axon: a tag alone runs the block, its set is empty.
;! rules L7 E5
;! block 0 tile 0 tagged
    addi r1, r0, 5
    addi r2, r0, 6
    foreach r1, r2, a
    st r1, n32[0]
a:  st r1, n32[1]
    st r2, n32[2]
    sleep
;! expect n32[0] = 0 5 6
;! expect computed = 4 + 1 + 1 + 1 + 1 + 1 + 1
