; Winner-take-all: in each block only the neuron with the highest potential can fire, and blocks inhibit each other.
;
;     onward run programs/winner-take-all.s --chip small
;
; Two blocks on two cores run the same program on inputs of their own. Each step, in each of them:
;
;     v_i = v_i - floor(v_i / 2^LEAK) + current_i - inhibition from the other core, and at least 0
;     winner = the neuron with the highest v, the first of them if there are several
;     if v_winner >= THRESHOLD:
;         the winner fires: the host learns its number and its block
;         the other core is inhibited by half of v_winner, and so are the losers here; the winner begins anew at 0
;
; Inputs are graded: the payload of a packet is a current. There is no loop over packets: the payloads of the active set are
; a memory (e, by axon, 0 where nothing arrived), so that all currents are added at once.

.equ NEURONS, 8
.equ LEAK, 4
.equ THRESHOLD, 200

; Axons
.equ CURRENTS, 0                ; one a neuron
.equ INHIBITION, NEURONS        ; from the other block
.equ AXONS, NEURONS + 1

; Routes
.equ WINNER, 0
.equ RIVAL, 1

; Each inhibits the other, so they are one layer: packets go from a layer to a later one, or to itself.
        .block  left, 0, 0, start, AXONS, layer rivals
        .block  right, 1, 1, start, AXONS, layer rivals
        .route  left, WINNER, NEURONS, host
        .route  right, WINNER, NEURONS, host
        .route  left, RIVAL, 1, right, INHIBITION
        .route  right, RIVAL, 1, left, INHIBITION

        .input  left_currents, NEURONS, left, CURRENTS
        .input  right_currents, NEURONS, right, CURRENTS

; Neuron 2 of the left block gets the largest current at first, later neuron 5 of the right one; in between they are equal.
        .steps  160
        .packet 0..149, left_currents, 0, 10
        .packet 0..149, left_currents, 1, 17
        .packet 0..99, left_currents, 2, 40
        .packet 100..149, left_currents, 2, 15
        .packet 0..149 by 3, left_currents, 3..7, 31
        .packet 0..49, right_currents, 5, 20
        .packet 50..99, right_currents, 5, 40
        .packet 100..149, right_currents, 5, 60
        .packet 0..149 by 2, right_currents, 0..4, 21
        .packet 1..149 by 4, right_currents, 6..7, 50

.reg winner, r1
.reg top, r2
.reg number, r3
.reg me, r4

start:
        setvl   r0, NEURONS
        vld     v0, n32[potential/4]
        addi    number, r0, LEAK
        vshr    v1, v0, number
        vsub    v0, v0, v1
        vacc    v0, e32[CURRENTS]
        ld      number, e32[INHIBITION]         ; 0 where the other block sent nothing
        vsubs   v0, v0, number
        vmaxs   v0, v0, r0

        vimax   winner, v0
        vext    top, v0, winner
        addi    number, r0, THRESHOLD
        blt     top, number, nobody

        special me, block                       ; the block's logical number: 0 is left, 1 is right
        send    winner, me, WINNER              ; index: the neuron; payload: the block
        shri    top, top, 1
        send    r0, top, RIVAL
        vsubs   v0, v0, top
        vmaxs   v0, v0, r0
        vins    v0, r0, winner

nobody:
        vst     v0, n32[potential/4]
        stay

        .section n
potential:
        .fill   NEURONS, 0, 32

        .array  potential, n32[potential/4], NEURONS
