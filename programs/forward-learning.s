; A network of two layers that learns without anything going backward: Signal Propagation in a hundred lines.
;
;     onward run programs/forward-learning.s --chip small
;
; The task: tell the rows of a 4 x 4 image from its columns. Each pixel lies in one row and one column, so no weighing of
; the pixels alone can do it; there must be a layer between.
;
;     class 0   #### .... .... ....       class 1   #... .#.. ..#. ...#
;               .... #### .... ....                 #... .#.. ..#. ...#
;               .... .... #### ....                 #... .#.. ..#. ...#
;               .... .... .... ####                 #... .#.. ..#. ...#
;
; A sample takes two steps: in the first its pixels are shown, in the second its class, as a spike on the class's own line.
; Both go the same way, pixels and class, through the layer `hidden` to the layer `output`: a layer sees only what comes from
; the one before, and learns from that alone. With x the active axons, and h what the layer makes of them:
;
;     h_i = 1 where the sum of the weights of x is at least THRESHOLD
;     t_c = what the layer makes of the class c when it is shown as target; kept in memory, by class
;     score(c) = sum over i of h_i * t_c,i
;     if score(class) < score(the other class) + MARGIN:
;         w_ki = w_ki + (t_class,i - t_other,i) / 2     for active axons k,
;                                                       and neurons i whose sum is nearer to THRESHOLD than GATE
;
; The half is rounded to 0 or 1 at random, each as often (vshrs). The answer is the class with the greater score in the last
; layer. Tags open each step: they tell a block what it is shown (image or class), which class, whether to learn.
; `docs/src/learning.md` has the full rule; onward compiles it from a `.sp` text for networks of any size.

.equ NEURONS, 32                ; of each layer
.equ INPUTS, 32                 ; rows of weights; of the first layer's 16 are pixels, 2 the lines of the classes
.equ PIXELS, 16
.equ CLASSES, 2
.equ THRESHOLD, 12
.equ GATE, 16
.equ MARGIN, 4
.equ WEIGHT, 8                  ; weights begin as +8 or -8
.equ CLASS_WEIGHT, 24           ; from the lines of the classes; they do not learn

; Routes of both blocks
.equ SPIKES, 0
.equ TAGS, 1
.equ ANSWER, 2

; Axon 0 of a tagged block takes tags; they are not among the active axons.
        .block  hidden, 0, 0, start, INPUTS + 1, tagged
        .block  output, 1, 0, start, INPUTS + 1, tagged
        .route  hidden, SPIKES, NEURONS, output, 1
        .route  hidden, TAGS, 1, output, 0
        .route  hidden, ANSWER, 1               ; nobody takes what the hidden layer thinks
        .route  output, SPIKES, NEURONS
        .route  output, TAGS, 1
        .route  output, ANSWER, 1, host
        .edge   hidden, output                  ; and no other: `onward verify` would name a route that leads back
        .input  tags, 1, hidden, 0
        .input  pixels, PIXELS, hidden, 1
        .input  classes, CLASSES, hidden, 1 + PIXELS

; Tags: bits 1..0 tell image (0) from class (1), bit 2 says `learn`, bits 23..8 name the class.
.equ TEST, 0
.equ LEARN_IMAGE, 4
.equ LEARN_CLASS, 5

; Eight samples are tested, then learned from sixty times, then tested again. Rows and columns take turns.
.equ TEST_STEPS, 8
.equ LESSON, 16                 ; steps to show all samples with their classes
.equ LEARN, TEST_STEPS          ; first step of learning
.equ LAST, LEARN + 60 * LESSON - 1
.equ AGAIN, LAST + 1            ; first step of the second test
        .steps  AGAIN + TEST_STEPS + 4

        .packet 0..TEST_STEPS - 1, tags, 0, TEST
        .packet LEARN..LAST by 2, tags, 0, LEARN_IMAGE
        .packet LEARN + 1..LAST by 4, tags, 0, LEARN_CLASS
        .packet LEARN + 3..LAST by 4, tags, 0, LEARN_CLASS + (1 << 8)
        .packet AGAIN..AGAIN + TEST_STEPS - 1, tags, 0, TEST
        .packet LEARN + 1..LAST by 4, classes, 0
        .packet LEARN + 3..LAST by 4, classes, 1

        .packet 0, pixels, 0..3
        .packet 1, pixels, 0..15 by 4
        .packet 2, pixels, 4..7
        .packet 3, pixels, 1..15 by 4
        .packet 4, pixels, 8..11
        .packet 5, pixels, 2..15 by 4
        .packet 6, pixels, 12..15
        .packet 7, pixels, 3..15 by 4

        .packet LEARN + 0..LAST by LESSON, pixels, 0..3
        .packet LEARN + 2..LAST by LESSON, pixels, 0..15 by 4
        .packet LEARN + 4..LAST by LESSON, pixels, 4..7
        .packet LEARN + 6..LAST by LESSON, pixels, 1..15 by 4
        .packet LEARN + 8..LAST by LESSON, pixels, 8..11
        .packet LEARN + 10..LAST by LESSON, pixels, 2..15 by 4
        .packet LEARN + 12..LAST by LESSON, pixels, 12..15
        .packet LEARN + 14..LAST by LESSON, pixels, 3..15 by 4

        .packet AGAIN + 0, pixels, 0..3
        .packet AGAIN + 1, pixels, 0..15 by 4
        .packet AGAIN + 2, pixels, 4..7
        .packet AGAIN + 3, pixels, 1..15 by 4
        .packet AGAIN + 4, pixels, 8..11
        .packet AGAIN + 5, pixels, 2..15 by 4
        .packet AGAIN + 6, pixels, 12..15
        .packet AGAIN + 7, pixels, 3..15 by 4

.reg axon, r1
.reg payload, r2
.reg number, r3
.reg one, r4
.reg kind, r5
.reg class, r6
.reg own, r7
.reg other, r8

start:
        addi    one, r0, 1
        setvl   r0, NEURONS
        setrow  r0, NEURONS
        special number, tag
        send    r0, number, TAGS                ; the next layer is shown this layer's answer to the same
        ld      number, n32[rows_to_draw/4]
        beq     number, r0, forward

; The first weights are drawn on the chip: half of one, rounded at random, is 0 or 1.
        st      r0, n32[rows_to_draw/4]
        addi    axon, r0, 0
        loop    number, drawn
        vmv     v0, one
        vshrs   v0, v0, one
        addi    number, r0, 2 * WEIGHT
        vmuls   v0, v0, number
        addi    number, r0, -WEIGHT
        vadds   v0, v0, number
        vstr    v0, s8[row axon]
        addi    axon, axon, 1
drawn:

; v0: the sums, v1: h or t, p0: the spikes
forward:
        vmv     v0, r0
        foreach axon, payload, summed
        vaccr   v0, s8[row axon - 1]
summed:
        addi    number, r0, THRESHOLD
        vcges   p0, v0, number
        spike   p0, SPIKES
        vmv     v1, r0
        vaddp   v1, v1, one, p0
        special kind, kind
        bne     kind, r0, target

; An image: what learning needs of it is kept. The payloads of the active set, 1 or 0 here, are the x of the rule.
        vst     v1, n8[h]
        vst     v0, n16[sums/2]
        setvl   r0, INPUTS
        vld     v2, e32[1]
        vst     v2, a8[x]
        special number, learn
        bne     number, r0, done

; A test: the class with the greater score, 0 if they are equal.
        setvl   r0, NEURONS
        vld     v2, n8[targets]
        vdot    own, v1, v2
        vld     v2, n8[targets + NEURONS]
        vdot    other, v1, v2
        addi    number, r0, 0
        bge     own, other, answer
        addi    number, r0, 1
answer:
        send    r0, number, ANSWER
done:
        sleep

; The class of the image before. v2: t of the class, v3: t of the other one
target:
        special class, slot
        addi    number, r0, NEURONS
        mul     own, class, number
        sub     other, number, own              ; with two classes
        vst     v1, n8[own + targets]
        vld     v2, n8[own + targets]
        vld     v3, n8[other + targets]
        vld     v1, n8[h]
        vdot    own, v1, v2
        vdot    other, v1, v3
        addi    other, other, MARGIN
        bge     own, other, done

; v3: the step, where the neuron is near its threshold
        vsub    v3, v2, v3
        vld     v0, n16[sums/2]
        addi    number, r0, THRESHOLD - GATE + 1
        vcges   p0, v0, number
        addi    number, r0, THRESHOLD + GATE
        vclts   p1, v0, number
        pand    p0, p0, p1
        vsels   v3, v3, r0, p0
        setvl   r0, INPUTS
        vld     v2, a8[x]
        vcges   p1, v2, one
        setvl   r0, NEURONS
        forset  axon, p1, learned
        vshrs   v2, v3, one
        vaccr   v2, s8[row axon]
        vstr    v2, s8[row axon]                ; a store keeps to 8 bits by itself
learned:
        sleep

        .section n
rows_to_draw:
        .word   0
sums:
        .fill   NEURONS, 0, 16
h:
        .fill   NEURONS, 0
targets:
        .fill   CLASSES * NEURONS, 0

        .section a
x:
        .fill   INPUTS, 0

; The lines of the classes excite every other neuron of the hidden layer. As 16-bit numbers two weights are written at once.
        .section s
        .org    PIXELS * NEURONS
        .fill   NEURONS / 2, CLASS_WEIGHT, 16
        .fill   NEURONS / 2, CLASS_WEIGHT << 8, 16
        .org    INPUTS * NEURONS

        .contents hidden, n32[rows_to_draw/4], PIXELS
        .contents output, n32[rows_to_draw/4], INPUTS

        .array  weights, s8[0], NEURONS, INPUTS
        .array  targets, n8[targets], NEURONS, CLASSES
