; Counted loops: jumping back costs nothing; the count is read once.
;! rules L1 I10
    addi r1, r0, 5
    loop r1, end
    addi r2, r2, 3
    addi r1, r0, 100        ; the count is overwritten, and goes on
body:
    nop
end:
    st r2, n32[0]
    st r1, n32[1]
    addi r1, r0, 1
    loop r1, once
    addi r3, r3, 1
once:
    st r3, n32[2]
    sleep
;! expect n32[0] = 15 100 1
;! expect executed body = 5
;! expect computed = 4 + 1 + 1 + 5 * 3 + 2 + 1 + 1 + 1 + 1 + 1
