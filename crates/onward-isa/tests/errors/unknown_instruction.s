; Misspelt mnemonics, instructions of other machines, a misspelt directive.
    ad r1, r2, r3
    ADD r1, r2, r3
    vacr v0, s16[row r1]
    mov r1, r2
    .wrod 12
    .section n
    .bytes 1, 2
