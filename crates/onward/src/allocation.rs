//! Memory, and what is said where there is none left: a message and exit code 1, where Rust would abort.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write;

/// The system's allocator; where that gives nothing the program ends.
///
/// What a command writes has another name until it is whole, so nothing half written is left under the name that was asked for.
pub struct Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

#[allow(unsafe_code)]
// SAFETY: each call goes on to the system's allocator as it came, and what that gives is given back.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as of this function.
        found(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as of this function.
        found(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as of this function.
        found(unsafe { System.realloc(place, layout, size) }, size)
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: as of this function.
        unsafe { System.dealloc(place, layout) }
    }
}

/// The place that was found for so many bytes, if there was one.
#[inline]
fn found(place: *mut u8, size: usize) -> *mut u8 {
    if place.is_null() {
        out_of_memory(size);
    }
    place
}

/// Says so, without allocating, and ends the program.
#[cold]
fn out_of_memory(size: usize) -> ! {
    let mut stderr = std::io::stderr().lock();
    // Nobody is left to be told if that cannot be written either.
    let _ = writeln!(
        stderr,
        "error: out of memory: {size} bytes more were needed\n  = help: use a smaller chip, network or part of the data, or a \
         computer with more memory; a checkpoint that was left holds (`--checkpoint`)"
    );
    end()
}

/// Ends the program at once. What else is done at an end, in Rust's and the system's libraries, would want memory and, as that
/// ends the program too, abort it.
#[cfg(unix)]
fn end() -> ! {
    #[allow(unsafe_code)]
    // SAFETY: it takes a number, and gives nothing back.
    unsafe {
        libc::_exit(1)
    }
}

/// Ends the program.
#[cfg(not(unix))]
fn end() -> ! {
    std::process::exit(1)
}
