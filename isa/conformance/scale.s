; Parts of 1, towards zero.
;! rules V11
    setvl r0, 6
    vld v0, n32[0]
    vld v1, n32[6]
    vscale v2, v0, v1
    vst v2, n32[12]
    lui r1, 1                   ; 65536: all of it
    vscales v2, v0, r1
    vst v2, n32[18]
    addi r1, r1, -4096          ; all but a sixteenth
    vscales v2, v0, r1
    vst v2, n32[24]
    lui r1, 0x7fff
    vscales v2, v0, r1
    vst v2, n32[30]
    sleep
    .section n
    .word -3, 1, 1, -1, 2147483647, -2147483648
    .word 32768, 65535, 65536, 65535, 65536, -65536
;! expect n32[12] = -1 0 1 0 max max
;! expect n32[18] = -3 1 1 -1 max min
;! expect n32[24] = -2 0 0 0 2013265919 -2013265920
;! expect n32[30] = -98301 32767 32767 -32767 max min
; the last of the first, the last two of the last
;! expect saturated = 3
