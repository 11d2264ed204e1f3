; The payloads of the active set as a memory; inactive axons read as 0, also in the next step.
;! rules M7 E4 E6
;! steps 3
;! block 0 tile 0 axons 6
;! packet step 0 axon 1 payload -7
;! packet step 0 axon 4 payload 1000000
;! packet step 1 axon 2 payload 5
    special r1, step
    shri r1, r1, -4         ; 16 and 32
    special r3, events
    st r3, n32[r1+8]
    setvl r0, 6
    vld v0, e32[0]
    vst v0, n32[r1]
    addi r2, r0, 4
    ld r3, e32[r2]
    st r3, n32[r1+9]
    setvl r0, 3
    addi r4, r0, -2
    vlds v1, e32[r2 : r4]   ; 4, 2, 0
    vacc v1, e32[1]         ; 1, 2, 3
    vst v1, n32[r1+10]
    vidx v2
    addi r4, r0, 3
    vlut v2, v2, e32[r0], r4
    vst v2, n32[r1+13]
    setrow r0, 1
    vldr v2, e32[row r0+1]
    vaccr v2, e32[row r0+2]
    vst v2, n32[r1+48]
    sleep
;! expect n32[16] = 0 -7 0 0 1000000 0 0 0 2 1000000 999993 0 0 0 -7 0
;! expect n32[32] = 0 0 5 0 0 0 0 0 1 0 0 10 0 0 0 5
;! expect n32[64] = -7 0 1000000
;! expect n32[80] = 5 5 0
