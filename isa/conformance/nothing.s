; Nothing is executed without a packet; `nop` and so on in a program nobody runs.
;! rules B2 B3
;! steps 3
;! packet step 2
    nop
    sleep
;! expect computed = 0
;! expect cycles = 8 + 8 + 10
