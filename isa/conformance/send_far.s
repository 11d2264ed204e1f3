; Three routers away over links of two cycles: c + 2 + 3 * 3.
;! rules B1 R1 S3 E4
;! chip dispatch 1 barrier 2 width 4 link 2
;! block 0 tile 0 axons 8
;! block 1 tile 3 entry receive axons 8 host-axons 0
;! route 0 indices 4 to block 1 axon 4
;! steps 3
    addi r1, r0, 2
    addi r2, r0, -50
    send r1, r2, 0          ; cycle 3; the flit in cycle 4
    sleep
receive:
    foreach r1, r2, end
    st r1, n32[0]
    st r2, n32[1]
end:
    sleep
;! expect block 1 n32[0] = 6 -50
; the host's packet to tile 0; 4 + 2 + 9; dispatch, foreach, two stores, sleep; three barriers
;! expect cycles = 2 + 15 + 5 + 3 * 2
