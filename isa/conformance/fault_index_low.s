;! rules F8
;! route 0 indices 4 to host
    addi r1, r0, -1
here:
    send r1, r1, 0
    sleep
;! expect fault at here = packet-index -1 of 4
