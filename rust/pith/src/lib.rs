// SPDX-License-Identifier: BSD-2-Clause
//! Components of Pith in Rust: the C component library with owners and lifetimes.
//!
//! A component is a static library whose entry is named with [`component!`]. It
//! has an allocator (libc's), a panic that is a last line in the log, and no std.
//! [`env`] is what it can ask its parent for, [`Entrypoint`] the one place where it
//! waits, [`Server`] what it has to be to offer a service.
#![no_std]

extern crate alloc;

#[doc(hidden)]
pub mod abi;
mod cap;
mod entrypoint;
pub mod env;
mod error;
mod ffi;
mod rpc;
mod runtime;
mod server;
mod time;

pub use cap::{Cap, Mapping, Notification};
pub use entrypoint::{Deferred, Entrypoint, Handle, Object, Registered, Request, Signals, Timer};
pub use error::{Error, Result};
pub use runtime::LogLine;
pub use server::{Opening, Server, Services};
pub use time::{Deadline, Time};

/// Name the function, `fn() -> i32`, that is the component: its value is the exit
/// code.
#[macro_export]
macro_rules! component {
    ($main:path) => {
        #[no_mangle]
        pub extern "C" fn component_main() -> i32 {
            let main: fn() -> i32 = $main;
            main()
        }
    };
}

/// One line to the LOG session; what is beyond 230 bytes is lost.
#[macro_export]
macro_rules! log {
    ($($arg:tt)*) => {{
        let mut line = $crate::LogLine::new();
        let _ = core::fmt::write(&mut line, core::format_args!($($arg)*));
        line.send()
    }};
}
