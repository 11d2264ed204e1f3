//! What blocks that keep traces of their axons have in common.

use super::text::Assembly;
use crate::connect::strips;

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

/// Clears `elements` elements of memory from `first` on.
pub(super) fn clear(a: &mut Assembly, memory: &str, first: u32, elements: u32, vector_length: u32, label: &str) {
    let strip = vector_length.min(elements);
    let (strips, rest) = (elements / strip.max(1), elements % strip.max(1));
    a.code(&format!("setvl r0, {strip}"), "");
    a.code("vmv v0, r0", "");
    a.load_number("r15", first as i32, "");
    if strips > 1 {
        a.load_number("r14", strips as i32, "");
        a.code(&format!("loop r14, {label}"), "");
        a.code(&format!("vst v0, {memory}[r15]"), "");
        a.code(&format!("addi r15, r15, {strip}"), "");
        a.label(label);
    } else {
        a.code(&format!("vst v0, {memory}[r15]"), "");
        a.code(&format!("addi r15, r15, {strip}"), "");
    }
    if rest > 0 {
        a.code(&format!("setvl r0, {rest}"), "");
        a.code(&format!("vst v0, {memory}[r15]"), "");
    }
}

/// A loop over `length` elements in strips: `body` finds the vector length set and the first element in r4. It must leave
/// r4, r10, r13 and r14 as they are.
pub(super) fn in_strips(
    a: &mut Assembly,
    length: u32,
    vector_length: u32,
    end: &str,
    body: impl FnOnce(&mut Assembly),
) {
    let (count, strip) = strips(length, vector_length);
    let even = count * strip == length;
    a.code("addi r4, r0, 0", "");
    a.code(&format!("setvl r0, {strip}"), "");
    if count == 1 {
        return body(a);
    }
    a.code(&format!("addi r10, r0, {strip}"), "");
    a.load_number("r14", length as i32, "what is left");
    a.load_number("r13", count as i32, "");
    a.code(&format!("loop r13, {end}"), "");
    if !even {
        a.code("min r10, r10, r14", "");
        a.code("setvl r10, 0", "");
        a.code("sub r14, r14, r10", "");
    }
    body(a);
    a.code("add r4, r4, r10", "");
    a.label(end);
}
