;! rules F2 V1
    lui r1, 0x8000
here:
    setvl r1, -1
    sleep
;! expect fault at here = length -2147483649 of 64
