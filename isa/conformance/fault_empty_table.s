; Even where nothing is looked up.
;! rules F4
here:
    vlut v0, v1, n16[r0], r0
    sleep
;! expect fault at here = empty-table
