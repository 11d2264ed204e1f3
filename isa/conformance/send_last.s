; The step ends when the last flit is delivered: accepted in cycle c, it is in c + 2.
;! rules B1 R1 S1
;! chip dispatch 1 barrier 1
;! route 0 indices 64 to host
    send r0, r0, 0          ; cycle 1; the flit in cycle 2
    sleep                   ; cycle 3: done with cycle 4. Delivered: 2 + 2
;! expect packet step 1 index 0 payload 0
;! expect cycles = 2 + 1 + 4 + 1
;! expect computed = 1 + 2
