; The same step twice takes the same time: nothing of the mesh is left over.
;! rules B3
;! chip width 2 buffer 1 link 1
;! block 0 tile 0 axons 8
;! block 1 tile 1 entry receive axons 8 host-axons 0
;! route 0 indices 4 to block 1
;! steps 3
;! packet step 0
;! packet step 1
    setvl r0, 4
    vceq p0, v0, v0
    spike p0, 0
receive:
    sleep
; host 2 + 8; dispatch 4, setvl, vceq, spike: the first flit is offered in cycle 7, a grant in 4 cycles:
; grants 8, 12, 16, 20; delivered 20 + 2 + 1. In step 2 the same, and block 1's step beside it.
;! expect cycles = 10 + 23 + 8 + 23 + 8
; accepted 7, 9, 13, 17: 1 + 3 + 3 stalls, twice
;! expect stalls = 14
