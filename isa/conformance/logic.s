; Bits, and how immediates are extended.
;! rules I13
    lui r1, 0x1234
    ori r1, r1, 0xabcd      ; zeros above: the upper half stays
    st r1, n32[0]
    addi r2, r0, -1
    andi r3, r2, 0xffff     ; zeros above
    st r3, n32[1]
    ori r3, r0, 0x8000
    st r3, n32[2]
    addi r3, r0, -32768
    st r3, n32[3]
    and r3, r1, r2
    st r3, n32[4]
    lui r4, 0x00ff
    or r3, r1, r4
    st r3, n32[5]
    xor r3, r1, r2
    st r3, n32[6]
    lui r3, 0xffff
    st r3, n32[7]
    addi r5, r0, 5
    setvl r5, -3            ; 2
    vidx v0
    vst v0, n32[8]
    setrow r5, -1           ; 4
    vldr v1, n32[row r5-3]  ; 2 * 4
    vst v1, n32[10]
    sleep
;! expect n32[0] = 0x1234abcd 65535 32768 -32768 0x1234abcd 0x12ffabcd -0x1234abce -65536 0 1 0 1
