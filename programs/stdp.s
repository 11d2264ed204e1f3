; Spike-timing dependent plasticity: weights learn which axons are active together shortly before a neuron fires.
;
;     onward run programs/stdp.s --chip small
;
; The pair-based rule with traces (Morrison, Diesmann, Gerstner, Biological Cybernetics 98, 2008, section 4.1). Each axon k
; has a trace x_k and each neuron i a trace y_i, which jump with each spike and decay in between:
;
;     x_k = x_k - x_k / 2^DECAY,  and + JUMP when axon k is active
;     y_i = y_i - y_i / 2^DECAY,  and + JUMP when neuron i fires
;
;     axon k is active:   w_ki = w_ki - y_i / 2^DOWN     the neuron fired before: this axon did not make it
;     neuron i fires:     w_ki = w_ki + x_k / 2^UP       the axon was active before: it took part
;
; Weights have 8 bits and stay from LEAST to MOST. Most updates are smaller than 1; stochastic rounding (vshrs) makes 1 of
; them as often as it should be, so that nothing is lost on average. No wider copy of the weights exists.
;
; Sixteen axons, in two groups. The first eight are active together, every eleven steps, and make the neurons fire. Each of
; the others is active every thirteen steps, so now before and now after a spike, in any distance. Depression being the
; stronger half of the rule, their weights sink to LEAST, while those of the first group rise to MOST.

.equ NEURONS, 8
.equ AXONS, 16
.equ THRESHOLD, 160
.equ LEAK, 2
.equ DECAY, 2
.equ JUMP, 64
.equ UP, 4
.equ DOWN, 3
.equ LEAST, 0
.equ MOST, 40

.equ SPIKES, 0

        .block  population, 0, 0, start, AXONS
        .route  population, SPIKES, NEURONS, host
        .input  stimulus, AXONS, population

        .steps  1100
        .packet 0..1099 by 11, stimulus, 0..7           ; together
        .packet 0..1099 by 13, stimulus, 8                 ; the others
        .packet 2..1099 by 13, stimulus, 9
        .packet 3..1099 by 13, stimulus, 10
        .packet 5..1099 by 13, stimulus, 11
        .packet 6..1099 by 13, stimulus, 12
        .packet 8..1099 by 13, stimulus, 13
        .packet 9..1099 by 13, stimulus, 14
        .packet 11..1099 by 13, stimulus, 15

.reg axon, r1
.reg payload, r2
.reg neuron, r3
.reg number, r4
.reg least, r5
.reg most, r6
.reg shift, r7

; A trace of so many elements loses its part of this step.
        .macro  decay trace, elements
        setvl   r0, elements
        addi    number, r0, DECAY
        vld     v0, trace
        vshr    v1, v0, number
        vsub    v0, v0, v1
        vst     v0, trace
        .endm

start:
        addi    least, r0, LEAST
        addi    most, r0, MOST
        decay   a16[axon_traces/2], AXONS
        decay   n16[neuron_traces/2], NEURONS           ; v0 keeps the neurons' traces
        setrow  r0, NEURONS

; Axons: v1 is what arrives; the weights of an active axon go down by the neurons' traces.
        vmv     v1, r0
        addi    shift, r0, DOWN
        addi    number, r0, JUMP
        foreach axon, payload, arrived
        addm    number, a16[axon + axon_traces/2]
        vldr    v2, s8[row axon]
        vadd    v1, v1, v2
        vshrs   v3, v0, shift
        vsub    v2, v2, v3
        vmaxs   v2, v2, least
        vstr    v2, s8[row axon]
arrived:

; Neurons: as in lif.s, without a refractory period.
        vld     v2, n32[membrane/4]
        addi    number, r0, LEAK
        vshr    v3, v2, number
        vsub    v2, v2, v3
        vadd    v2, v2, v1
        addi    number, r0, THRESHOLD
        vcges   p0, v2, number
        pnot    p1, p0
        vsels   v2, v2, r0, p1
        vst     v2, n32[membrane/4]
        addi    number, r0, JUMP
        vaddp   v0, v0, number, p0
        vst     v0, n16[neuron_traces/2]
        spike   p0, SPIKES

; The weights of a neuron that fires go up by the axons' traces. Weights lie in rows, an axon each, so those of a neuron are
; a column: elements that lie NEURONS apart. A column takes a cycle an element, a row as many as the lanes allow.
        setvl   r0, AXONS
        vld     v0, a16[axon_traces/2]
        addi    shift, r0, UP
        addi    number, r0, NEURONS
        forset  neuron, p0, fired
        vlds    v2, s8[neuron : number]
        vshrs   v3, v0, shift
        vadd    v2, v2, v3
        vmins   v2, v2, most
        vsts    v2, s8[neuron : number]
fired:
        stay

        .section a
axon_traces:
        .fill   AXONS, 0, 16

        .section n
membrane:
        .fill   NEURONS, 0, 32
neuron_traces:
        .fill   NEURONS, 0, 16

        .section s
weights:
        .fill   AXONS * NEURONS, 24, 8

        .array  axon_traces, a16[axon_traces/2], AXONS
        .array  neuron_traces, n16[neuron_traces/2], NEURONS
        .array  membrane, n32[membrane/4], NEURONS
        .array  weights, s8[weights], NEURONS, AXONS
