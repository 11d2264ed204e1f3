; Memories that do not exist, widths they do not have, writes to what is read-only.
    ld r1, n4[r2]
    ld r1, m32[r2]
    st r1, e32[r2]
    ld r1, s64[r2]
    ld r1, n32[v2]
    ld r1, n32[r2 + r3]
    ld r1, n32[r2
    ld r1, [r2 + 4]
    vlds v0, n32[r1 : 4]
