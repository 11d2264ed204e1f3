//! A block's part of a memory: bytes, read and written one element at a time (rule M1).

use onward_isa::Width;

/// The element `at` of a memory, sign-extended; it must lie in it.
pub(super) fn get(bytes: &[u8], width: Width, at: usize) -> i32 {
    match width {
        Width::W4 => {
            let byte = bytes[at / 2];
            let nibble = if is_low(at) { byte & 15 } else { byte >> 4 };
            if nibble < 8 { i32::from(nibble) } else { i32::from(nibble) - 16 }
        }
        Width::W8 => i32::from(i8::from_le_bytes([bytes[at]])),
        Width::W16 => i32::from(i16::from_le_bytes([bytes[2 * at], bytes[2 * at + 1]])),
        Width::W32 => i32::from_le_bytes([bytes[4 * at], bytes[4 * at + 1], bytes[4 * at + 2], bytes[4 * at + 3]]),
    }
}

/// Sets the element `at` of a memory to the low bits of a value; it must lie in it.
pub(super) fn set(bytes: &mut [u8], width: Width, at: usize, value: i32) {
    let low = value.to_le_bytes();
    match width {
        Width::W4 if is_low(at) => bytes[at / 2] = bytes[at / 2] & 0xf0 | low[0] & 0x0f,
        Width::W4 => bytes[at / 2] = bytes[at / 2] & 0x0f | low[0] << 4,
        Width::W8 => bytes[at] = low[0],
        Width::W16 => bytes[2 * at..][..2].copy_from_slice(&low[..2]),
        Width::W32 => bytes[4 * at..][..4].copy_from_slice(&low),
    }
}

/// Whether a 4-bit element is the low half of its byte.
fn is_low(at: usize) -> bool {
    at.is_multiple_of(2)
}

/// Elements of a width in so many bytes.
pub(super) fn elements(bytes: usize, width: Width) -> usize {
    bytes * 8 / width.bits() as usize
}
