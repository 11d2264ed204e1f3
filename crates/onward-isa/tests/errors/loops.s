; A loop names its end, and the machine jumps back by itself.
again:
    addi r1, r1, 1
    loop r2, again
    foreach r1, r2, here
here:
    sleep
here:
    stay
