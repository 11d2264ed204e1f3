; A base for the indices of packets.
;! rules S2 F9
;! chip vector-length 128
;! block 0 tile 0 axons 8
;! route 0 indices 300 to host
;! route 0 indices 300 to host
;! steps 2
    setvl r0, 70
    vidx v0
    addi r1, r0, 3
    vclts p0, v0, r1        ; 0, 1, 2
    addi r2, r0, 68
    vcges p1, v0, r2        ; 68, 69
    por p0, p0, p1
    addi r3, r0, 62
    spike p0, 0, r3         ; 62, 63, 64, 130, 131
    addi r3, r0, 230
    spike p0, 0, r3         ; 230, 231, 232, 298, 299
    addi r3, r0, -68
    vsend v0, p1, 1, r3     ; 0 and 1
    sleep
;! expect packet step 1 index 62 payload 1
;! expect packet step 1 index 63 payload 1
;! expect packet step 1 index 64 payload 1
;! expect packet step 1 index 130 payload 1
;! expect packet step 1 index 131 payload 1
;! expect packet step 1 index 230 payload 1
;! expect packet step 1 index 231 payload 1
;! expect packet step 1 index 232 payload 1
;! expect packet step 1 index 298 payload 1
;! expect packet step 1 index 299 payload 1
;! expect packet step 1 index 0 payload 68
;! expect packet step 1 index 1 payload 69
