; Counter-rotating packets: a stress test of the mesh, and proof that nothing is lost on it.
;
;     onward run programs/packet-stress.s --chip middle
;
; A ring leads through all sixteen cores of a 4 x 4 mesh, each a neighbour of the next:
;
;      0   1   2   3           ring:  0  1  2  3  7  6  5  9 10 11 15 14 13 12  8  4, and back to 0
;      4   5   6   7
;      8   9  10  11
;     12  13  14  15
;
; Once woken by the host, every core sends PACKETS packets along the ring and as many against it, and forwards all that come
; by: in every step each core takes 2 * PACKETS packets and sends 2 * PACKETS. A packet carries the core it comes from (upper
; half of the payload) and the links it still has to cross (lower half). After LAPS rounds each must be back where it began:
; that core counts it and reports it to the host. A packet that is at home somewhere else is reported with its payload
; negated, so that whoever looks sees it at once.

.equ PACKETS, 8                 ; of each core, in each direction
.equ LAPS, 3
.equ CORES, 16
.equ LINKS, LAPS * CORES        ; that each packet crosses

; Axons
.equ FORWARD, 0                 ; packets that go along the ring
.equ BACKWARD, PACKETS          ; those against it
.equ WAKE, 2 * PACKETS
.equ AXONS, WAKE + 1

; Routes
.equ ALONG, 0
.equ AGAINST, 1
.equ HOME, 2

; Blocks in the order of the tiles: a block's number is that of its tile.
        .block  core0, 0, 0, start, AXONS
        .block  core1, 1, 0, start, AXONS
        .block  core2, 2, 0, start, AXONS
        .block  core3, 3, 0, start, AXONS
        .block  core4, 0, 1, start, AXONS
        .block  core5, 1, 1, start, AXONS
        .block  core6, 2, 1, start, AXONS
        .block  core7, 3, 1, start, AXONS
        .block  core8, 0, 2, start, AXONS
        .block  core9, 1, 2, start, AXONS
        .block  core10, 2, 2, start, AXONS
        .block  core11, 3, 2, start, AXONS
        .block  core12, 0, 3, start, AXONS
        .block  core13, 1, 3, start, AXONS
        .block  core14, 2, 3, start, AXONS
        .block  core15, 3, 3, start, AXONS

        .route  core0, ALONG, PACKETS, core1, FORWARD
        .route  core0, AGAINST, PACKETS, core4, BACKWARD
        .route  core0, HOME, 2 * PACKETS, host
        .route  core1, ALONG, PACKETS, core2, FORWARD
        .route  core1, AGAINST, PACKETS, core0, BACKWARD
        .route  core1, HOME, 2 * PACKETS, host
        .route  core2, ALONG, PACKETS, core3, FORWARD
        .route  core2, AGAINST, PACKETS, core1, BACKWARD
        .route  core2, HOME, 2 * PACKETS, host
        .route  core3, ALONG, PACKETS, core7, FORWARD
        .route  core3, AGAINST, PACKETS, core2, BACKWARD
        .route  core3, HOME, 2 * PACKETS, host
        .route  core7, ALONG, PACKETS, core6, FORWARD
        .route  core7, AGAINST, PACKETS, core3, BACKWARD
        .route  core7, HOME, 2 * PACKETS, host
        .route  core6, ALONG, PACKETS, core5, FORWARD
        .route  core6, AGAINST, PACKETS, core7, BACKWARD
        .route  core6, HOME, 2 * PACKETS, host
        .route  core5, ALONG, PACKETS, core9, FORWARD
        .route  core5, AGAINST, PACKETS, core6, BACKWARD
        .route  core5, HOME, 2 * PACKETS, host
        .route  core9, ALONG, PACKETS, core10, FORWARD
        .route  core9, AGAINST, PACKETS, core5, BACKWARD
        .route  core9, HOME, 2 * PACKETS, host
        .route  core10, ALONG, PACKETS, core11, FORWARD
        .route  core10, AGAINST, PACKETS, core9, BACKWARD
        .route  core10, HOME, 2 * PACKETS, host
        .route  core11, ALONG, PACKETS, core15, FORWARD
        .route  core11, AGAINST, PACKETS, core10, BACKWARD
        .route  core11, HOME, 2 * PACKETS, host
        .route  core15, ALONG, PACKETS, core14, FORWARD
        .route  core15, AGAINST, PACKETS, core11, BACKWARD
        .route  core15, HOME, 2 * PACKETS, host
        .route  core14, ALONG, PACKETS, core13, FORWARD
        .route  core14, AGAINST, PACKETS, core15, BACKWARD
        .route  core14, HOME, 2 * PACKETS, host
        .route  core13, ALONG, PACKETS, core12, FORWARD
        .route  core13, AGAINST, PACKETS, core14, BACKWARD
        .route  core13, HOME, 2 * PACKETS, host
        .route  core12, ALONG, PACKETS, core8, FORWARD
        .route  core12, AGAINST, PACKETS, core13, BACKWARD
        .route  core12, HOME, 2 * PACKETS, host
        .route  core8, ALONG, PACKETS, core4, FORWARD
        .route  core8, AGAINST, PACKETS, core12, BACKWARD
        .route  core8, HOME, 2 * PACKETS, host
        .route  core4, ALONG, PACKETS, core0, FORWARD
        .route  core4, AGAINST, PACKETS, core8, BACKWARD
        .route  core4, HOME, 2 * PACKETS, host

; One packet of the host wakes all: an input with several takers becomes a multicast tree.
        .input  wake, 1, core0, WAKE
        .input  wake, 1, core1, WAKE
        .input  wake, 1, core2, WAKE
        .input  wake, 1, core3, WAKE
        .input  wake, 1, core4, WAKE
        .input  wake, 1, core5, WAKE
        .input  wake, 1, core6, WAKE
        .input  wake, 1, core7, WAKE
        .input  wake, 1, core8, WAKE
        .input  wake, 1, core9, WAKE
        .input  wake, 1, core10, WAKE
        .input  wake, 1, core11, WAKE
        .input  wake, 1, core12, WAKE
        .input  wake, 1, core13, WAKE
        .input  wake, 1, core14, WAKE
        .input  wake, 1, core15, WAKE

        .steps  LINKS + 4
        .packet 0, wake, 0

.reg axon, r1
.reg packet, r2
.reg links, r3
.reg from, r4
.reg me, r5
.reg wake, r6
.reg backward, r7
.reg number, r8

start:
        special me, block
        addi    wake, r0, WAKE
        addi    backward, r0, BACKWARD
        foreach axon, packet, done              ; a jump to the loop's label goes on with the next packet
        beq     axon, wake, send_all
        andi    links, packet, 0xffff
        beq     links, r0, at_home
        addi    packet, packet, -1              ; one link less to cross
        bge     axon, backward, pass_against
        send    axon, packet, ALONG             ; a packet keeps its index as long as it travels
        jmp     done
pass_against:
        addi    number, axon, -BACKWARD
        send    number, packet, AGAINST
        jmp     done

at_home:
        shri    from, packet, 16
        beq     from, me, right_home
        sub     packet, r0, packet
right_home:
        send    axon, packet, HOME
        ld      number, n32[home/4]
        addi    number, number, 1
        st      number, n32[home/4]
        jmp     done

send_all:
        shri    packet, me, -16                 ; a negative amount shifts left
        ori     packet, packet, LINKS - 1       ; the link it crosses now is not counted any more
        addi    number, r0, PACKETS
        addi    links, r0, 0
        loop    number, done                    ; two loops may end at one label
        send    links, packet, ALONG
        send    links, packet, AGAINST
        addi    links, links, 1
done:
        sleep                                   ; until packets come: the mesh falls silent when all are home

        .section n
home:
        .word   0

        .array  home, n32[home/4], 1
