; Rows added to sums in neuron memory: widths, saturation, forwarding, cycles by the operand's port.
;! rules M11 I7 C1 C3
;! chip vector-length 128
    setvl r0, 3
    addi r1, r0, 4
    addi r2, r0, 1
add:
    vaddn16 r1, s8[r2+1]        ; 2, 3, -4
    vaddn16 r1, a16[r0]         ; 10, -20, 30
    addi r2, r0, 4
    vaddn32 r2, s16[r0+4]       ; 1000, 2000, -3000
    vaddn32 r2, s4[r0+33]       ; 1, 7, -1
    vld v0, n32[r2]             ; forwarded
    vst v0, n32[8]
    setvl r0, 40
    addi r1, r0, 64
cost:
    vaddn16 r1, s8[r0+100]
    vaddn32 r1, s16[r0+100]
    vaddn16 r1, a16[r0+100]     ; 3 of one cycle a beat
    vaddn32 r1, s32[r0+100]
    vaddn16 r1, a32[r0+100]     ; 2 of two
    setvl r0, 0
    vaddn16 r1, s8[r0]          ; nothing: a beat all the same
    vaddn16 r1, s32[r0]         ; and twice
    sleep
    .section n
    .word 0, 5
    .half 100, 32767, -32768, 9
    .word 10, 2147483647, -2147483648
    .section a
    .half 10, -20, 30
    .section s
    .byte 0, 1, 2, 3, -4, 0, 0, 0
    .half 1000, 2000, -3000, 0
    .nibble 1, 1, 7, -1
;! expect n16[4] = 112 32747 -32738 9
;! expect n32[1] = 5
;! expect n32[8] = 1011 max min 0
; 2 of 16 bits, 2 and 2 of 32
;! expect saturated = 6
;! expect elements add = 3
;! expect elements cost = 40
; 8 of one cycle, 6 short vectors, the long ones, the empty ones
;! expect computed = 4: 4 + 8 + 6 + 7 * 10 + 3, 8: 4 + 8 + 6 + 7 * 5 + 3, 16: 4 + 8 + 6 + 7 * 3 + 3, 32: 4 + 8 + 6 + 7 * 2 + 3, 64: 4 + 8 + 6 + 7 + 3
