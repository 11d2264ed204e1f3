; The scalar product is exact in 64 bits and wraps beyond: 4 * 2^62 is 0, 3 * 2^62 is -2^62, 2 * 2^62 is -2^63.
;! rules V8
    lui r1, 0x8000
    setvl r0, 4
    vmv v0, r1
    vdot r2, v0, v0
    st r2, n32[0]
    setvl r0, 3
    vdot r2, v0, v0
    st r2, n32[1]
    setvl r0, 2
    vdot r2, v0, v0
    st r2, n32[2]
    setvl r0, 1
    vdot r2, v0, v0
    st r2, n32[3]
    sleep
;! expect n32[0] = 0 min min max
;! expect saturated = 3
