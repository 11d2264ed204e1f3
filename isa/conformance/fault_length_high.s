;! rules F2 V1
    setvl r0, 64
here:
    setvl r0, 65
    sleep
;! expect fault at here = length 65 of 64
