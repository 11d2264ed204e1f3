; Leaky integrate-and-fire neurons with a refractory period, on one core.
;
;     onward run programs/lif.s --chip small
;
; Each step, for each of the sixteen neurons:
;
;     v = v - floor(v / 2^LEAK) + sum of the weights of the active axons
;     if it fired less than REFRACTORY steps ago:   v = 0
;     if v >= THRESHOLD:                            it fires, and v = 0
;
; All neurons are computed at once, a lane each: every vector instruction below works on NEURONS elements.

.equ NEURONS, 16
.equ AXONS, 8
.equ LEAK, 3            ; an eighth of the membrane potential leaks away in each step
.equ THRESHOLD, 100
.equ REFRACTORY, 4      ; steps

; The system: one block, whose route 0 leads to the host; what the host sends arrives on axons 0 to 7.

.equ SPIKES, 0          ; the number of the route

        .block  population, 0, 0, start, AXONS
        .route  population, SPIKES, NEURONS, host
        .input  stimulus, AXONS, population

; Packets sent in a step are consumed in the next. Four axons are active regularly, the others in bursts.

        .steps  200
        .packet 0..199 by 2, stimulus, 0
        .packet 1..199 by 3, stimulus, 1
        .packet 0..199 by 5, stimulus, 2..3
        .packet 40..59, stimulus, 4
        .packet 80..99, stimulus, 4..5
        .packet 120..159 by 2, stimulus, 6..7

; The handler. It runs once a step, from `start` to `stay`; registers begin as 0 each time, memories keep what they hold.

.reg axon, r1
.reg payload, r2
.reg number, r3

start:
        setvl   r0, NEURONS                     ; vectors have sixteen elements
        setrow  r0, NEURONS                     ; and so have rows of weights

; v0: what arrives. A spike on an axon adds that axon's row of weights, one weight a neuron.
        foreach axon, payload, arrived
        vaccr   v0, s8[row axon]
arrived:

; v1: the membrane potential. Shifts round down, so a negative potential leaks up to 0, but a positive one below 2^LEAK
; stays where it is.
        vld     v1, n32[membrane/4]             ; labels count bytes, addresses count elements
        addi    number, r0, LEAK
        vshr    v2, v1, number
        vsub    v1, v1, v2
        vadd    v1, v1, v0

; v3: steps for which the neuron still rests; p1: where it does. There is no `clear where set`, only `keep where set`
; (vsels), so the predicate is turned around.
        vld     v3, n8[resting]
        addi    number, r0, 1
        vcges   p1, v3, number
        addi    number, r0, -1
        vaddp   v3, v3, number, p1
        pnot    p1, p1
        vsels   v1, v1, r0, p1

; p0: where the neuron fires.
        addi    number, r0, THRESHOLD
        vcges   p0, v1, number
        addi    number, r0, REFRACTORY
        vaddp   v3, v3, number, p0              ; was 0: a resting neuron has v = 0 and does not fire
        pnot    p1, p0
        vsels   v1, v1, r0, p1

        vst     v1, n32[membrane/4]
        vst     v3, n8[resting]
        spike   p0, SPIKES                      ; a packet for each bit that is set, with its number as index
        stay                                    ; membranes leak in every step: run again, packets or not

; Memories. `.array` names what someone might want to look at from outside.

        .section n
membrane:
        .fill   NEURONS, 0, 32
resting:
        .fill   NEURONS, 0, 8

        .array  membrane, n32[membrane/4], NEURONS
        .array  resting, n8[resting], NEURONS

        .section s
weights:                                        ; a row an axon; the last two axons inhibit half of the neurons
        .byte    20,  22,  24,  26,  28,  30,  32,  34,  36,  38,  40,  42,  44,  46,  48,  50
        .byte    50,  48,  46,  44,  42,  40,  38,  36,  34,  32,  30,  28,  26,  24,  22,  20
        .byte     5,   0,   5,   0,   5,   0,   5,   0,   5,   0,   5,   0,   5,   0,   5,   0
        .byte     0,   9,   0,   9,   0,   9,   0,   9,   0,   9,   0,   9,   0,   9,   0,   9
        .byte   127, 100,  80,  60,  40,  20,  10,   0,   0,   0,   0,   0,   0,   0,   0,   0
        .byte    -8,  -8,  -8,  -8,  -8,  -8,  -8,  -8, 100, 100, 100, 100, 100, 100, 100, 100
        .byte   -60, -60, -60, -60, -60, -60, -60, -60,   0,   0,   0,   0,   0,   0,   0,   0
        .byte     0,   0,   0,   0,   0,   0,   0,   0, -90, -90, -90, -90, -90, -90, -90, -90

        .array  weights, s8[weights], NEURONS, AXONS
