; An axon takes one packet a step; in the next step it may have another.
;! rules F9
;! route 0 indices 10 to host
;! steps 4
    setvl r0, 10
    vidx v0
    addi r1, r0, 5
    vceqs p0, v0, r1
    spike p0, 0
    special r2, step
    addi r3, r0, 2
    bge r2, r3, twice
    stay
twice:
    vcges p0, v0, r1        ; 5 to 9
here:
    spike p0, 0
    sleep
;! expect fault step 2 at here = second-packet 5
