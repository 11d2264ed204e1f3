; The step ends when the last flit is delivered: accepted in cycle c, it is in c + 2.
;! rules B1 R1 S1
;! chip dispatch 0 barrier 0
;! route 0 indices 64 to host
    send r0, r0, 0          ; cycle 0; the flit in cycle 1
    sleep                   ; cycle 2: done with cycle 3. Delivered: 1 + 2
;! expect packet step 1 index 0 payload 0
;! expect cycles = 2 + 3
;! expect computed = 2
