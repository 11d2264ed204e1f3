; The active set, ascending, as often as asked for; registers keep what the last pass held.
;! rules L2 E4 E6
;! block 0 tile 0 axons 200
;! packet step 0 axon 199 payload 40
;! packet step 0 axon 3 payload -10
;! packet step 0 axon 64 payload 20
;! packet step 0 axon 0 payload 30
    addi r7, r0, 8
    foreach r1, r2, end
    st r1, n32[r7]
    st r2, n32[r7+1]
    addi r1, r0, 77         ; overwritten, it does not matter
    addi r7, r7, 2
end:
    st r1, n32[0]
    st r2, n32[1]
    foreach r3, r3, same    ; one register: the payload
    add r4, r4, r3
same:
    st r4, n32[2]
    st r3, n32[3]
    foreach r0, r5, lost    ; into r0: lost
    add r6, r6, r0
lost:
    st r6, n32[4]
    st r5, n32[5]
    special r5, events
    st r5, n32[6]
    sleep
;! expect n32[0] = 77 40 80 40 0 40 4 0 0 30 3 -10 64 20 199 40
;! expect computed = 4 + 1 + 1 + 4 * 4 + 2 + 1 + 4 + 2 + 1 + 4 + 2 + 2 + 1
