; A block that sends to itself: its own packets come in the next step.
;! rules E4 E1 S3
;! block 0 tile 0 axons 8 host-axons 1
;! route 0 indices 7 to block 0 axon 1
;! steps 5
    foreach r1, r2, end
    addi r3, r2, 1
    addi r4, r0, 3
    bge r1, r4, over
    send r1, r3, 0          ; axon r1 + 1
over:
    st r2, n32[r1]
end:
    sleep
;! packet step 0 payload 40
;! expect n32[0] = 40 41 42 43 0
