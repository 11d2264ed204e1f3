; Index by index: 5 was sent before, 6 is none of the route's. On a route to two takers.
;! rules F9 F8
;! block 0 tile 0 axons 8
;! block 1 tile 0 entry receive axons 8 host-axons 0
;! route 0 indices 6 to host to block 1
    setvl r0, 10
    vidx v0
    addi r1, r0, 5
    send r1, r0, 0
    vcges p0, v0, r1        ; 5 to 9
here:
    vsend v0, p0, 0
receive:
    sleep
;! expect fault at here = second-packet 5
