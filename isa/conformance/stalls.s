; A buffer of one flit and a link of two cycles: a flit in six. The core waits.
;! rules S5 R1
;! chip dispatch 1 barrier 2 width 2 buffer 1 link 2
;! block 0 tile 0 axons 8
;! block 1 tile 1 entry receive axons 8 host-axons 0
;! route 0 indices 4 to block 1
;! steps 3
    setvl r0, 4
    vceq p0, v0, v0
    spike p0, 0             ; cycle 3; offered from cycle 4
    sleep
receive:
    special r1, events
    st r1, n32[0]
    sleep
;! expect block 1 n32[0] = 4
; The FIFO at the core takes a flit in cycle 4; it is granted the link in 5, so the next is accepted in 6 and waits for
; the credit: grants in 5, 11, 17, 23. Accepted in 4, 6, 12, 18: stalls 5; 7 to 11; 13 to 17. Delivered: 23 + 3 + 1.
; The last credit is back two cycles later, in the barrier.
;! expect stalls = 1 + 5 + 5
;! expect cycles = 2 + 27 + 4 + 3 * 2
