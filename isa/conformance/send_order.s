; Two destinations: both for each packet before the next.
;! rules S1 S4 S3 R3
;! chip dispatch 1 barrier 1 width 2
;! block 0 tile 0 axons 8
;! block 1 tile 1 entry receive axons 8 host-axons 0
;! route 0 indices 2 to host to block 1 axon 1
;! steps 3
    setvl r0, 2
    vidx v0
    vceq p0, v0, v0
    vsend v0, p0, 0         ; cycle 4; flits in 5 to 8
    sleep                   ; cycle 9
receive:
    foreach r1, r2, end
    st r2, n32[r1]
end:
    sleep
    .section n
    .word 9, 9, 9, 9
;! expect packet step 1 index 0 payload 0
;! expect packet step 1 index 1 payload 1
;! expect block 1 n32[0] = 9 0 1 9
; the last flit is accepted in cycle 8 and has one hop: 8 + 2 + 1
;! expect cycles = 2 + 11 + 5 + 3 * 1
;! expect stalls = 0
