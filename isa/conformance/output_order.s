; The host reads a step's packets by sender, route and index, whoever was first.
;! rules R3
;! chip width 2
;! block 0 tile 1 axons 8 host-axons 1 entry start
;! block 1 tile 0 axons 8 entry start
;! route 0 indices 8 to host
;! route 0 indices 8 to host
;! route 1 indices 8 to host
;! route 1 indices 2 to block 0 axon 1
;! packet step 0 block 0
;! packet step 0 block 1
start:
    addi r1, r0, 5
    special r2, block
    bne r2, r0, other
    send r1, r2, 1
    send r0, r2, 1
    send r1, r2, 0
    sleep
other:
    send r1, r2, 0
    sleep
;! expect packet step 1 index 5 payload 0
;! expect packet step 1 index 0 payload 0
;! expect packet step 1 index 5 payload 0
;! expect packet step 1 index 5 payload 1
