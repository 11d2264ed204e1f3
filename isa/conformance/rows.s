; Rows: the base is multiplied with the row length, exactly.
;! rules M4
    addi r1, r0, 2
    setrow r1, 3            ; 5
    setvl r0, 3
    vldr v0, s16[row r1-1]  ; from 5
    vst v0, n32[0]
    vaccr v0, s16[row r1]   ; from 10
    vstr v0, s16[row r0+4]  ; from 20
    addi r1, r0, -1
    vldr v0, s16[row r1+2]  ; from 5
    vst v0, n32[4]
    setrow r0, 0
    lui r1, 0x7fff
    vldr v0, s16[row r1]    ; any row of length 0
    vst v0, n32[8]
    vldr v1, n8[row r0]
    vst v1, n32[12]
    vstr v0, a8[row r1+7]
    vaccr v0, a8[row r1]
    vst v0, n32[16]
    sleep
    .section s
    .half 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13
;! expect n32[0] = 5 6 7
;! expect n32[4] = 5 6 7
;! expect s16[19] = 0 15 17 19 0
;! expect n32[8] = 0 1 2 0 5 0 0 0 0 2 4
