; A base that brings an index beyond the route's.
;! rules F8 S2
;! route 0 indices 70 to host
    setvl r0, 8
    pnot p0, p0
    addi r1, r0, 62
    spike p0, 0, r1
    addi r1, r0, 64
fault:
    spike p0, 0, r1         ; 64 to 69 were sent
    sleep
;! expect fault at fault = second-packet 64
