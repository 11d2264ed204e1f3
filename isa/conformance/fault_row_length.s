;! rules F2 M4
    lui r1, 0x7fff
    ori r1, r1, 0xffff
    setrow r1, 0
here:
    setrow r1, 1
    sleep
;! expect fault at here = length 2147483648 of 2147483647
