; Elements a stride apart, one a cycle whatever the lanes.
;! rules M5 I8
    setvl r0, 4
    addi r1, r0, 3
    vlds v0, n16[r1-1 : r1] ; 2, 5, 8, 11
    vst v0, n32[64]
    addi r2, r0, -2
    vlds v0, n16[r1+5 : r2] ; 8, 6, 4, 2
    vst v0, n32[68]
    vlds v0, n16[r1 : r0]   ; 3, four times
    vst v0, n32[72]
    vidx v1
    vsts v1, s4[r1+10 : r1]
    vsts v1, a8[5 : r0]     ; the last remains
    addi r3, r0, 100
    vmuls v1, v1, r3
    vsts v1, a8[7 : r2]     ; 0, 100, 127, 127 downwards
    setvl r0, 0
    addi r4, r0, -100
    vlds v0, n16[r4 : r4]   ; nothing is reached
    vsts v0, n16[r4 : r4]
    sleep
    .section n
    .half 0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110
;! expect n32[64] = 20 50 80 110
;! expect n32[68] = 80 60 40 20
;! expect n32[72] = 30 30 30 30
;! expect s4[12] = 0 0 0 0 1 0 0 2 0 0 3 0
;! expect a8[0] = 0 127 0 127 0 100 0 0 0
;! expect saturated = 2
;! expect computed = 4 + 1 + 1 + 5 + 1 + 5 + 5 + 1 + 4 + 4 + 1 + 1 + 4 + 1 + 1 + 1 + 1 + 1
