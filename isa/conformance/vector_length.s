; Beats: the same vectors in more cycles with fewer lanes. Elements beyond VL stay and come back.
;! rules I6 V1 V2
    setvl r0, 64
    vidx v0                 ; 64 elements
    setvl r0, 40
    addi r1, r0, 100
    vadds v0, v0, r1        ; 40 elements: 0 to 39 become 100 to 139
    setvl r0, 0
    vmv v0, r0              ; nothing, one cycle
    setvl r0, 1
    vmv v0, r1              ; one element
    setvl r0, 64
    vst v0, n32[0]
    setvl r0, 33
    vadd v1, v0, v0
    vadd v1, v1, v1         ; its own source
    vst v1, n32[64]
    sleep
;! expect n32[0] = 100 101 102
;! expect n32[38] = 138 139 40 41
;! expect n32[62] = 62 63
;! expect n32[64] = 400 404 408
;! expect n32[95] = 524 528 0
;! expect computed = 4: 12 + 16 + 10 + 1 + 1 + 16 + 9 * 3, 8: 12 + 8 + 5 + 1 + 1 + 8 + 5 * 3, 16: 12 + 4 + 3 + 1 + 1 + 4 + 3 * 3, 32: 12 + 2 + 2 + 1 + 1 + 2 + 2 * 3, 64: 12 + 1 + 1 + 1 + 1 + 1 + 1 * 3
