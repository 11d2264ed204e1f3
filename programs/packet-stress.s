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
; by: in every step each core takes 2 * PACKETS packets and sends as many, one a cycle. A packet says who it is from (lower half of
; the payload: the core's number and 1) and how many links it still has to cross (upper half). After LAPS rounds each must be back
; where it began: that core counts it and reports it to the host, all cores at once, so that they queue up before the one port.
; A packet that ends at a core it is not from is reported with its payload negated, so that whoever looks sees it at once.

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
.equ HOME_ALONG, 2
.equ HOME_AGAINST, 3

; Blocks in the order of the tiles: a block's number is that of its tile. They send round and round, so they are one layer.
        .block  core0, 0, 0, start, AXONS, layer ring
        .block  core1, 1, 0, start, AXONS, layer ring
        .block  core2, 2, 0, start, AXONS, layer ring
        .block  core3, 3, 0, start, AXONS, layer ring
        .block  core4, 0, 1, start, AXONS, layer ring
        .block  core5, 1, 1, start, AXONS, layer ring
        .block  core6, 2, 1, start, AXONS, layer ring
        .block  core7, 3, 1, start, AXONS, layer ring
        .block  core8, 0, 2, start, AXONS, layer ring
        .block  core9, 1, 2, start, AXONS, layer ring
        .block  core10, 2, 2, start, AXONS, layer ring
        .block  core11, 3, 2, start, AXONS, layer ring
        .block  core12, 0, 3, start, AXONS, layer ring
        .block  core13, 1, 3, start, AXONS, layer ring
        .block  core14, 2, 3, start, AXONS, layer ring
        .block  core15, 3, 3, start, AXONS, layer ring

        .route  core0, ALONG, PACKETS, core1, FORWARD
        .route  core0, AGAINST, PACKETS, core4, BACKWARD
        .route  core0, HOME_ALONG, PACKETS, host
        .route  core0, HOME_AGAINST, PACKETS, host
        .route  core1, ALONG, PACKETS, core2, FORWARD
        .route  core1, AGAINST, PACKETS, core0, BACKWARD
        .route  core1, HOME_ALONG, PACKETS, host
        .route  core1, HOME_AGAINST, PACKETS, host
        .route  core2, ALONG, PACKETS, core3, FORWARD
        .route  core2, AGAINST, PACKETS, core1, BACKWARD
        .route  core2, HOME_ALONG, PACKETS, host
        .route  core2, HOME_AGAINST, PACKETS, host
        .route  core3, ALONG, PACKETS, core7, FORWARD
        .route  core3, AGAINST, PACKETS, core2, BACKWARD
        .route  core3, HOME_ALONG, PACKETS, host
        .route  core3, HOME_AGAINST, PACKETS, host
        .route  core7, ALONG, PACKETS, core6, FORWARD
        .route  core7, AGAINST, PACKETS, core3, BACKWARD
        .route  core7, HOME_ALONG, PACKETS, host
        .route  core7, HOME_AGAINST, PACKETS, host
        .route  core6, ALONG, PACKETS, core5, FORWARD
        .route  core6, AGAINST, PACKETS, core7, BACKWARD
        .route  core6, HOME_ALONG, PACKETS, host
        .route  core6, HOME_AGAINST, PACKETS, host
        .route  core5, ALONG, PACKETS, core9, FORWARD
        .route  core5, AGAINST, PACKETS, core6, BACKWARD
        .route  core5, HOME_ALONG, PACKETS, host
        .route  core5, HOME_AGAINST, PACKETS, host
        .route  core9, ALONG, PACKETS, core10, FORWARD
        .route  core9, AGAINST, PACKETS, core5, BACKWARD
        .route  core9, HOME_ALONG, PACKETS, host
        .route  core9, HOME_AGAINST, PACKETS, host
        .route  core10, ALONG, PACKETS, core11, FORWARD
        .route  core10, AGAINST, PACKETS, core9, BACKWARD
        .route  core10, HOME_ALONG, PACKETS, host
        .route  core10, HOME_AGAINST, PACKETS, host
        .route  core11, ALONG, PACKETS, core15, FORWARD
        .route  core11, AGAINST, PACKETS, core10, BACKWARD
        .route  core11, HOME_ALONG, PACKETS, host
        .route  core11, HOME_AGAINST, PACKETS, host
        .route  core15, ALONG, PACKETS, core14, FORWARD
        .route  core15, AGAINST, PACKETS, core11, BACKWARD
        .route  core15, HOME_ALONG, PACKETS, host
        .route  core15, HOME_AGAINST, PACKETS, host
        .route  core14, ALONG, PACKETS, core13, FORWARD
        .route  core14, AGAINST, PACKETS, core15, BACKWARD
        .route  core14, HOME_ALONG, PACKETS, host
        .route  core14, HOME_AGAINST, PACKETS, host
        .route  core13, ALONG, PACKETS, core12, FORWARD
        .route  core13, AGAINST, PACKETS, core14, BACKWARD
        .route  core13, HOME_ALONG, PACKETS, host
        .route  core13, HOME_AGAINST, PACKETS, host
        .route  core12, ALONG, PACKETS, core8, FORWARD
        .route  core12, AGAINST, PACKETS, core13, BACKWARD
        .route  core12, HOME_ALONG, PACKETS, host
        .route  core12, HOME_AGAINST, PACKETS, host
        .route  core8, ALONG, PACKETS, core4, FORWARD
        .route  core8, AGAINST, PACKETS, core12, BACKWARD
        .route  core8, HOME_ALONG, PACKETS, host
        .route  core8, HOME_AGAINST, PACKETS, host
        .route  core4, ALONG, PACKETS, core0, FORWARD
        .route  core4, AGAINST, PACKETS, core8, BACKWARD
        .route  core4, HOME_ALONG, PACKETS, host
        .route  core4, HOME_AGAINST, PACKETS, host

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

.reg me, r1
.reg one, r2
.reg link, r3
.reg number, r4

; The packets of one direction: those under way go on, those at home are counted and reported. There is no loop over packets: the
; payloads of the active set are a memory (e), so that they are a vector, with 0 where no packet came.
        .macro  pass axons, onward, home_route
        vld     v0, e32[axons]
        vcges   p0, v0, link
        vsubs   v1, v0, link
        vsend   v1, p0, onward                  ; each where p0 is set, one a cycle, and keeps its index
        vcges   p1, v0, one
        pnot    p0, p0
        pand    p0, p0, p1                      ; a packet without links to cross
        pcount  number, p0
        addm    number, n32[home/4]
        vceqs   p1, v0, me
        addi    number, r0, -1
        vmuls   v1, v0, number
        vsel    v0, v0, v1, p1
        vsend   v0, p0, home_route
        .endm

start:
        setvl   r0, PACKETS
        special me, block
        addi    me, me, 1
        addi    one, r0, 1
        ld      number, e32[WAKE]
        bne     number, r0, send_all
        lui     link, 1                         ; one in the upper half
        pass    FORWARD, ALONG, HOME_ALONG
        pass    BACKWARD, AGAINST, HOME_AGAINST
        sleep                                   ; until packets come: the mesh falls silent when all are home

send_all:
        lui     number, LINKS - 1               ; the link that a packet crosses first is not counted any more
        add     number, number, me
        vmv     v0, number
        vcges   p0, v0, one
        vsend   v0, p0, ALONG
        vsend   v0, p0, AGAINST
        sleep

        .section n
home:
        .word   0

        .array  home, n32[home/4], 1
