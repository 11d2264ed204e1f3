; The lowest bit that is no index is named.
;! rules F8
;! chip vector-length 128
;! route 0 indices 10 to host
    setvl r0, 128
    vidx v0
    addi r1, r0, 12
    vcges p0, v0, r1        ; 12 to 127
here:
    spike p0, 0
    sleep
;! expect fault at here = packet-index 12 of 10
