; Too few and too many operands.
    add r1, r2
    sleep r1
    vidx
    spike p0
    nop nop
