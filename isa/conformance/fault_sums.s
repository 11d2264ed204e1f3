; Sums outside neuron memory: found before anything changes.
;! rules M11 F1
    setvl r0, 8
    addi r1, r0, 509
fault:
    vaddn16 r1, s8[r0]
    sleep
;! expect fault at fault = address n 509 count 8 of 512
