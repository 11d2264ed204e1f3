; Spikes, values, single packets: order, payloads, cycles.
;! rules S1 S2 S3 S6 R1 R3 C1 C2
;! block 0 tile 0 axons 8
;! block 1 tile 0 entry receive axons 100
;! route 0 indices 64 to host
;! steps 2
    setvl r0, 40
    vidx v0
    addi r1, r0, 3
    vclts p0, v0, r1        ; 0, 1, 2
    setvl r0, 2
    addi r2, r0, 9
    send r2, r1, 0          ; 1 + 1
    setvl r0, 40
    vaddp v1, v0, r2, p0    ; 9, 10, 11
spikes:
    pnot p1, p0
    setvl r0, 5
    spike p1, 0             ; 3 and 4: 1 + 2
values:
    vsend v1, p0, 0         ; 1 + 3
    spike p3, 0             ; no bit set: 1
    sleep
receive:
    sleep
; Sent as 9, 3, 4, 0, 1, 2; the host reads by index.
;! expect packet step 1 index 0 payload 9
;! expect packet step 1 index 1 payload 10
;! expect packet step 1 index 2 payload 11
;! expect packet step 1 index 3 payload 1
;! expect packet step 1 index 4 payload 1
;! expect packet step 1 index 9 payload 3
;! expect elements values = 3
;! expect executed values = 1
; 7 of one cycle, 3 vectors of 40, 4 sends
;! expect computed = 4: 4 + 7 + 3 * 10 + 4 + 1, 8: 4 + 7 + 3 * 5 + 4 + 1, 16: 4 + 7 + 3 * 3 + 4 + 1, 32: 4 + 7 + 3 * 2 + 4 + 1, 64: 4 + 7 + 3 + 4 + 1
; and 6 flits. The last is accepted 3 cycles before the end: delivered in time.
;! expect cycles = 4: 10 + 46 + 6 + 8, 8: 10 + 31 + 6 + 8, 16: 10 + 25 + 6 + 8, 32: 10 + 22 + 6 + 8, 64: 10 + 19 + 6 + 8
;! expect stalls = 0
