; Tags: latched with the step, no part of the active set.
;! rules E5 E6
;! steps 6
;! block 0 tile 0 entry start tagged
;! block 1 tile 0 entry start
;! packet step 0 block 0 axon 2 payload 9
;! packet step 1 block 0 axon 0 payload 0x123405
;! packet step 1 block 0 axon 1 payload 5
;! packet step 2 block 0 axon 0 payload -1
;! packet step 4 block 0 axon 1 payload 6
;! packet step 0 block 1 axon 0 payload 7
start:
    special r15, step
    shri r14, r15, -4       ; 16 a step
    st r15, n32[r14]
    special r1, position
    st r1, n32[r14+1]
    special r1, block
    st r1, n32[r14+2]
    special r1, tag
    st r1, n32[r14+3]
    special r1, kind
    st r1, n32[r14+4]
    special r1, learn
    st r1, n32[r14+5]
    special r1, slot
    st r1, n32[r14+6]
    special r1, events
    st r1, n32[r14+7]
    foreach r1, r2, done
    add r3, r3, r2
    addi r4, r1, 1
done:
    st r3, n32[r14+8]       ; the payloads' sum
    st r4, n32[r14+9]       ; the last axon and 1
    ld r1, e32[0]
    st r1, n32[r14+10]
    sleep
;! expect n32[16] = 1 max 0 0 0 0 0 1 9 3 0
;! expect n32[32] = 2 0 0 0x123405 1 1 0x1234 1 5 2 0
;! expect n32[48] = 3 0 0 -1 3 1 0xffff 0 0 0 0
;! expect n32[64] = 0 0 0
;! expect n32[80] = 5 2 0 -1 3 1 0xffff 1 6 2 0
;! expect block 1 n32[16] = 1 max 1 0 0 0 0 1 7 1 7
