//! What blocks that keep traces of their axons have in common.

use super::text::Assembly;

/// Clears `count` 16-bit elements of axon memory from `first` (a register) on. r10 and r11 are used, and v0 is 0 afterwards.
pub(super) fn clear_traces(a: &mut Assembly, first: &str, count: u32, vector_length: u32, label: &str) {
    let strip = vector_length.min(count);
    let (strips, rest) = (count / strip, count % strip);
    a.code(&format!("setvl r0, {strip}"), "");
    a.code("vmv v0, r0", "");
    a.code(&format!("addi r10, {first}, 0"), "");
    a.code(&format!("addi r11, r0, {strips}"), "");
    a.code(&format!("loop r11, {label}"), "");
    a.code("vst v0, a16[r10]", "");
    a.code(&format!("addi r10, r10, {strip}"), "");
    a.label(label);
    if rest > 0 {
        a.code(&format!("setvl r0, {rest}"), "");
        a.code("vst v0, a16[r10]", "");
    }
}

/// Runs of at most a vector register's length that `length` elements are cut into, `parts` or more of them: first element
/// and length of each.
pub(super) fn parts(length: u32, parts: u32, vector_length: u32) -> Vec<(u32, u32)> {
    let count = parts.max(length.div_ceil(vector_length)).min(length).max(1);
    let ends: Vec<u32> =
        (0..=count).map(|part| (u64::from(length) * u64::from(part) / u64::from(count)) as u32).collect();
    ends.windows(2).map(|ends| (ends[0], ends[1] - ends[0])).collect()
}

/// `if position >= WINDOW: sleep`, and what else a step begins with.
pub(super) fn begin_step(a: &mut Assembly) {
    a.gap();
    a.label("step");
    a.code("special position, position", "");
    a.code("addi r10, r0, WINDOW", "");
    a.code("blt position, r10, in_window", "");
    a.code("sleep", "no window is open");
    a.label("in_window");
    a.code("addi one, r0, 1", "");
    a.code("special learn, learn", "");
    a.code("special slot, slot", "");
    a.code("special r10, kind", "");
    a.code("bne r10, r0, target_window", "");
}
