; Three blocks of a core, by number, each with registers of zero. Of a fourth nothing is seen: no packet, no cycle.
;! rules E2 E3 C2
;! chip dispatch 7 barrier 3
;! block 0 tile 0 entry second
;! block 1 tile 0 entry first
;! block 2 tile 0 entry first
;! block 3 tile 0 entry first
;! steps 3
;! packet step 0 block 0
;! packet step 0 block 1
;! packet step 0 block 2
;! packet step 1 block 1
first:
    setvl r0, 4
    vst v0, n32[4]
    pcount r2, p1
    st r2, n32[2]
    vmv v0, r0
    vceqs p1, v0, r0        ; left behind: predicates, vectors, VL, scalars
    vidx v0
    ld r1, n32[0]
    addi r1, r1, 1
    st r1, n32[0]
    st r3, n32[1]
    addi r3, r0, 5
    sleep
second:
    st r1, n32[0]
    vsum r1, v0             ; VL is 0
    st r1, n32[1]
    vldr v1, n32[row r0]
    sleep
;! expect n32[0] = 0 0 0 0
;! expect block 1 n32[0] = 2 0 0 0 0 0 0 0
;! expect block 2 n32[0] = 1 0 0 0 0 0 0 0
;! expect block 3 n32[0] = 0 0
; first: 14 and a reduction of a beat; second: 4 and one
;! expect computed = 4: 7 + 4 + 3, 8: 7 + 4 + 4, 16: 7 + 4 + 5, 32: 7 + 4 + 6, 64: 7 + 4 + 7
;! expect block 1 computed = 4: 2 * 23, 8: 2 * 24, 16: 2 * 25, 32: 2 * 26, 64: 2 * 27
;! expect block 2 computed = 4: 23, 8: 24, 16: 25, 32: 26, 64: 27
;! expect block 3 computed = 0
; step 0: three packets of the host, the last accepted in cycle 2; step 1: blocks 0, 1, 2; step 2: block 1
;! expect cycles = 4: 4 + 3 + 60 + 3 + 23 + 3, 8: 4 + 3 + 63 + 3 + 24 + 3, 16: 4 + 3 + 66 + 3 + 25 + 3, 32: 4 + 3 + 69 + 3 + 26 + 3, 64: 4 + 3 + 72 + 3 + 27 + 3
