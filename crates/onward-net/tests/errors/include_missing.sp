network includes {
    include "included/nothing.sp"
    include "included/twice.sp"
    include "./included/twice.sp"
    include "included/round.sp"
    input x = rate(8)
}
