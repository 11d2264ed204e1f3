; A buffer of one flit and a link of two cycles: a flit in six. The core waits.
;! rules S5 R1
;! chip dispatch 0 barrier 0 width 2 buffer 1 link 2
;! block 0 tile 0 axons 8
;! block 1 tile 1 entry receive axons 8 host-axons 0
;! route 0 indices 4 to block 1
;! steps 3
    setvl r0, 4
    vceq p0, v0, v0
    spike p0, 0             ; cycle 2; offered from cycle 3
    sleep
receive:
    special r1, events
    st r1, n32[0]
    sleep
;! expect block 1 n32[0] = 4
; The FIFO at the core takes a flit in cycle 3; it is granted the link in 4, so the next is accepted in 5 and waits for
; the credit: grants in 4, 10, 16, 22. Accepted in 3, 5, 11, 17: stalls 4; 6 to 10; 12 to 16. Delivered: 22 + 3 + 1.
;! expect stalls = 1 + 5 + 5
;! expect cycles = 2 + 26 + 3
