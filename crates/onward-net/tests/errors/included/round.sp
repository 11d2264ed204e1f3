include "again.sp"
