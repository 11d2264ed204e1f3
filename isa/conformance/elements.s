; Single elements.
;! rules V9 V10
    setvl r0, 5
    vidx v3
    addi r1, r0, 70
    addi r2, r0, 4
    vins v3, r1, r2
    vext r4, v3, r2
    vext r5, v3, r0
    st r4, n32[0]
    st r5, n32[1]
here:
    vins v3, r1, r0
    vst v3, n32[8]
    vmv v3, r2
    vst v3, n32[16]
    setvl r0, 2
    vmv v3, r0              ; the first two only
    setvl r0, 5
    vst v3, n32[24]
    sleep
;! expect n32[0] = 70 0
;! expect n32[8] = 70 1 2 3 70
;! expect n32[16] = 4 4 4 4 4
;! expect n32[24] = 0 0 4 4 4
;! expect elements here = 0
