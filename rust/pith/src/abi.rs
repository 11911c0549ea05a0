// SPDX-License-Identifier: BSD-2-Clause
//! What the C headers say, as far as Rust needs it. scripts/test/test_rust.py has
//! the C compiler compare every size, offset and number in LAYOUT with theirs.

use core::ffi::c_void;

/// One thing that both languages must agree upon.
pub enum Fact {
    Size(&'static str, usize),
    Offset(&'static str, &'static str, usize),
    Number(&'static str, u64),
}

macro_rules! abi {
    ($($c:literal $(#[$meta:meta])* struct $name:ident {
        $($field:ident : $type:ty,)*
    })*) => {
        $($(#[$meta])* #[repr(C)] pub struct $name { $(pub $field: $type,)* })*
        pub static STRUCTS: &[&[Fact]] = &[$(&[
            Fact::Size($c, core::mem::size_of::<$name>()),
            $(Fact::Offset($c, stringify!($field),
                           offset!($name, $field)),)*
        ],)*];
    };
}

// core::mem::offset_of!() is younger than the compiler we want to be content with.
macro_rules! offset {
    ($name:ident, $field:ident) => {{
        let at = core::mem::MaybeUninit::<$name>::uninit();
        unsafe {
            core::ptr::addr_of!((*at.as_ptr()).$field)
                .cast::<u8>()
                .offset_from(at.as_ptr().cast::<u8>()) as usize
        }
    }};
}

macro_rules! numbers {
    ($($c:literal $name:ident : $type:ty = $value:expr;)*) => {
        $(pub const $name: $type = $value;)*
        pub static NUMBERS: &[Fact] = &[$(Fact::Number($c, $name as u64),)*];
    };
}

numbers! {
    "PITH_MSG_BYTES" MSG_BYTES: usize = 4096;
    "PITH_MSG_CAPS" MSG_CAPS: usize = 8;
    "PITH_NO_DEADLINE" NO_DEADLINE: u64 = u64::MAX;
    "PITH_NR_SIGNAL" NR_SIGNAL: u64 = 502;
    "PITH_R_CALL" R_CALL: u32 = 0x01;
    "PITH_R_SIGNAL" R_SIGNAL: u32 = 0x04;
    "PITH_R_READ" R_READ: u32 = 0x10;
    "PITH_R_WRITE" R_WRITE: u32 = 0x20;
    "PITH_R_EXEC" R_EXEC: u32 = 0x40;
    "PITH_MAP_READ" MAP_READ: u32 = 1;
    "PITH_MAP_WRITE" MAP_WRITE: u32 = 2;
    "EP_DEFERRED" EP_DEFERRED: i32 = 1;
    "PARENT_SERVICE_MAX" SERVICE_MAX: usize = 32;
    "PARENT_LABEL_MAX" LABEL_MAX: usize = 160;
    "PARENT_ARGS_MAX" ARGS_MAX: usize = 160;
}

pub type CallFn = extern "C" fn(*mut c_void, *mut EpRequest) -> i32;
pub type NotifyFn = extern "C" fn(*mut c_void, u64);
pub type FireFn = extern "C" fn(*mut c_void);
pub type OpenFn = extern "C" fn(*mut c_void, *const ParentRequest, *mut *mut c_void) -> i32;
pub type CloseFn = extern "C" fn(*mut c_void, *mut c_void);

abi! {
    "struct session"
    struct Session {
        cap: i32,
        id: u64,
    }
    "struct session_quota"
    struct SessionQuota {
        ram: u64,
        caps: u64,
    }
    "struct rpc"
    struct Rpc {
        req: *const u8,
        req_len: usize,
        tail: *const u8,
        tail_len: usize,
        caps: *const i32,
        ncaps: u32,
        rep: *mut u8,
        rep_len: usize,
        rep_tail: *mut u8,
        rep_tail_size: usize,
        rep_tail_len: usize,
        rep_caps: *mut i32,
        nrep_caps: u32,
    }
    "struct ep_request"
    struct EpRequest {
        method: u64,
        badge: u64,
        len: usize,
        data: *const u8,
        ncaps: u32,
        caps: [i32; MSG_CAPS],
        cap_badges: [u64; MSG_CAPS],
        rep_len: usize,
        rep_ncaps: u32,
        rep_caps: [i32; MSG_CAPS],
        rep_close: u32,
    }
    "struct ep_timer"
    struct EpTimer {
        at: u64,
        fire: FireFn,
        ctx: *mut c_void,
        patience: u64,
        next: *mut EpTimer,
    }
    "struct entrypoint"
    #[repr(align(8))]
    struct Entrypoint {
        ep: i32,
        slots: *mut c_void,
        nslots: u32,
        first_free: u32,
        timers: *mut EpTimer,
        serving: *mut EpRequest,
        request: [u8; MSG_BYTES],
        reply: [u8; MSG_BYTES],
    }
    "struct parent_request"
    struct ParentRequest {
        kind: u32,
        zero: u32,
        id: u64,
        service: [u8; SERVICE_MAX],
        label: [u8; LABEL_MAX],
        args: [u8; ARGS_MAX],
        ram: u64,
        caps: u64,
    }
    "struct id_table"
    struct IdTable {
        places: *mut c_void,
        n: usize,
        nplaces: usize,
    }
    "struct service"
    struct Service {
        name: *const u8,
        open: OpenFn,
        close: CloseFn,
        ctx: *mut c_void,
        sessions: IdTable,
    }
    "struct rom"
    struct Rom {
        session: Session,
        mem: i32,
        own: u32,
        data: *const u8,
        size: u64,
    }
}
