include "round.sp"
include "../include_missing.sp"
