// SPDX-License-Identifier: BSD-2-Clause
//! What std would be: memory, panics, and a place for text.
use crate::ffi;
use core::alloc::{GlobalAlloc, Layout};
use core::fmt;

struct Libc;

// malloc() aligns to 16.
const PLENTY: usize = 16;

unsafe impl GlobalAlloc for Libc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() <= PLENTY {
            ffi::malloc(layout.size())
        } else {
            // a multiple of the alignment, as C wants it; Layout bounds the sum
            let size = (layout.size() + layout.align() - 1) & !(layout.align() - 1);
            ffi::aligned_alloc(layout.align(), size)
        }
    }

    unsafe fn dealloc(&self, at: *mut u8, _: Layout) {
        ffi::free(at)
    }
}

#[global_allocator]
static ALLOCATOR: Libc = Libc;

/// A line for the log, cut at what fits.
pub struct LogLine {
    text: [u8; 230],
    len: usize,
}

impl LogLine {
    #[allow(clippy::new_without_default)]
    pub fn new() -> LogLine {
        LogLine { text: [0; 230], len: 0 }
    }

    pub fn send(&self) {
        unsafe { ffi::log_line(b"%.*s\0".as_ptr(), self.len as i32, self.text.as_ptr()) }
    }
}

impl fmt::Write for LogLine {
    fn write_str(&mut self, s: &str) -> fmt::Result {
        let n = s.len().min(self.text.len() - self.len);
        self.text[self.len..self.len + n].copy_from_slice(&s.as_bytes()[..n]);
        self.len += n;
        Ok(())
    }
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    crate::log!("Error: {}", info);
    unsafe { ffi::exit(101) }
}

// The compiler's own `alloc` was compiled to be unwound, which never begins here.
#[no_mangle]
extern "C" fn rust_eh_personality() -> ! {
    unsafe { ffi::exit(102) }
}

#[no_mangle]
extern "C" fn _Unwind_Resume() -> ! {
    unsafe { ffi::exit(102) }
}
