; A loop made of a branch: three times round, twice taken. The counters tell.
;! rules I3 C1 C2
    addi r1, r0, 3
top:
    addi r2, r2, 10
    addi r1, r1, -1
back:
    bne r1, r0, top
    st r2, n32[0]
end:
    sleep
;! expect n32[0] = 30
;! expect computed = 4 + 1 + 3 * 2 + 2 * 2 + 1 + 1 + 1
;! expect executed top = 3
;! expect executed back = 3
;! expect elements top = 0
;! expect executed end = 1
