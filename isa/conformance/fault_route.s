; A route is checked even if nothing is sent.
;! rules F7 S6
;! route 0 indices 4 to host
    spike p0, 0
here:
    spike p0, 1
    sleep
;! expect fault at here = route 1 of 1
