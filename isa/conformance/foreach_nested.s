; Loops over events inside each other: all pairs.
;! rules L2 L4
;! packet step 0 axon 2 payload 10
;! packet step 0 axon 5 payload 100
    foreach r1, r2, outer
    foreach r3, r4, inner
    mul r5, r2, r4
    add r6, r6, r5
    add r7, r7, r3
inner:
    add r8, r8, r1
outer:
    st r6, n32[0]
    st r7, n32[1]
    st r8, n32[2]
    sleep
;! expect n32[0] = 12100 14 7
