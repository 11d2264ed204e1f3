; The last elements that may be reached, of each width, and vectors of no elements just behind the memory.
;! rules M6
;! block 0 tile 0 axons 5 n 64 a 62 s 63
    setvl r0, 4
    vld v0, n32[12]
    vld v0, n16[28]
    vld v0, n8[60]
    vst v0, n32[12]
    ld r1, n32[15]
    ld r1, n8[63]
    addm r1, n16[31]
    vld v0, a32[11]         ; 15 whole elements in 62 bytes
    ld r1, a16[30]
    vld v0, s4[122]
    ld r1, s4[125]
    ld r1, s16[30]
    vld v0, e32[1]
    ld r1, e32[4]
    addi r2, r0, 3
    vlds v0, e32[r2-2 : r0]
    setrow r0, 4
    vldr v0, n32[row r0+3]
    setvl r0, 0
    vld v0, n32[16]
    vst v0, s16[31]
    vld v0, e32[5]
    vldr v0, n32[row r0+4]
    addi r1, r0, 1
    st r1, n32[0]
    sleep
;! expect n32[0] = 1
