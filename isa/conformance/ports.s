; Cycles of vector accesses by width and port: 16 bits a lane for a and s, 32 for n and e.
;! rules I7 M2
;! chip vector-length 128
;! block 0 tile 0 axons 128
    setvl r0, 40
    setrow r0, 1
    vld v0, s4[0]
    vld v0, s8[0]
    vldr v0, s16[row r0]
    vld v0, a16[0]
    vld v0, n8[0]
    vld v0, n32[0]
    vld v0, e32[0]
    vst v0, s8[0]
    vstr v0, s16[row r0]
    vst v0, n32[0]
    vacc v0, a8[0]
    vaccr v0, s16[row r0]
    vaccr v0, n32[row r0]   ; 13 of one cycle a beat
    vld v0, s32[0]
    vst v0, a32[0]
    vstr v0, s32[row r0]
    vaccr v0, s32[row r0]
    vacc v0, a32[0]         ; 5 of two cycles a beat
    setvl r0, 0
    vld v0, n32[0]          ; nothing: a beat all the same
    vld v0, s32[0]          ; and twice
    setvl r0, 100
    vldr v0, s16[row r0]
    sleep
;! expect computed = 4: 4 + 5 + 23 * 10 + 3 + 25, 8: 4 + 5 + 23 * 5 + 3 + 13, 16: 4 + 5 + 23 * 3 + 3 + 7, 32: 4 + 5 + 23 * 2 + 3 + 4, 64: 4 + 5 + 23 + 3 + 2
