; The host's packets of a step leave from cycle 0 on, one a cycle.
;! rules R2 B1 B2
;! chip dispatch 1 barrier 5
;! block 0 tile 0 axons 8
;! block 1 tile 0 axons 8
;! packet step 0 block 1 axon 3
;! packet step 0 block 0 axon 7
;! packet step 0 block 0 axon 2
;! packet step 0 block 1 axon 0
    sleep
; the fourth is accepted in cycle 3; then two cycles for each block
;! expect cycles = 5 + 5 + 4 + 5
