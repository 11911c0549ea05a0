// SPDX-License-Identifier: BSD-2-Clause
//! The one place where a component waits, and what it waits for.
use crate::abi;
use crate::cap::{Cap, Notification};
use crate::error::{check, Result};
use crate::ffi;
use crate::time::{Deadline, Time};
use alloc::boxed::Box;
use alloc::rc::Rc;
use core::cell::RefCell;
use core::ffi::c_void;
use core::ptr::{self, NonNull};
use core::slice;

/// What can be called through a capability.
pub trait Object: 'static {
    /// @req's bytes are this component's own copy. An error is what the caller gets.
    fn call(&mut self, req: &mut Request<'_>) -> Result<()>;
}

/// Dispatches calls, notifications and timers, one after the other. Only its owner
/// can, so that no handler is entered again while it runs.
pub struct Entrypoint(Handle);

/// Where objects, notifications and timers are added.
#[derive(Clone, Copy)]
pub struct Handle(NonNull<abi::Entrypoint>);

impl Handle {
    pub(crate) fn as_ptr(self) -> *mut abi::Entrypoint {
        self.0.as_ptr()
    }
}

impl Entrypoint {
    /// It stays for as long as the component.
    pub fn new() -> Result<Entrypoint> {
        let raw = Box::into_raw(Box::new(abi::Entrypoint {
            ep: -1,
            slots: ptr::null_mut(),
            nslots: 0,
            first_free: 0,
            timers: ptr::null_mut(),
            serving: ptr::null_mut(),
            request: [0; abi::MSG_BYTES],
            reply: [0; abi::MSG_BYTES],
        }));
        match check(unsafe { ffi::ep_init(raw) }) {
            Ok(_) => Ok(Entrypoint(Handle(unsafe { NonNull::new_unchecked(raw) }))),
            Err(e) => {
                drop(unsafe { Box::from_raw(raw) });
                Err(e)
            }
        }
    }

    pub fn handle(&self) -> Handle {
        self.0
    }

    /// One event; false: @by has passed.
    pub fn dispatch(&mut self, by: Deadline) -> Result<bool> {
        check(unsafe { ffi::ep_dispatch(self.0.as_ptr(), by.0) }).map(|n| n > 0)
    }

    /// For ever.
    pub fn run(self) -> ! {
        unsafe { ffi::ep_run(self.0.as_ptr()) }
    }
}

// --- objects --------------------------------------------------------------------

struct Slot<T> {
    at: Handle,
    target: RefCell<T>,
}

/// An object while it can be called: dropped, it cannot any more.
pub struct Registered<T> {
    slot: Rc<Slot<T>>,
    badge: u64,
}

impl Handle {
    /// Let @object be called, through the capability that comes back.
    pub fn register<T: Object>(self, object: T) -> Result<(Registered<T>, Cap)> {
        let slot = Rc::new(Slot { at: self, target: RefCell::new(object) });
        let ctx = Rc::as_ptr(&slot) as *mut c_void;
        let mut badge = 0;
        let fd = check(unsafe {
            ffi::ep_new_object(self.as_ptr(), called::<T>, ctx, &mut badge)
        })?;
        Ok((Registered { slot, badge }, unsafe { Cap::from_fd(fd) }))
    }
}

impl<T> Registered<T> {
    /// Look at the object, between calls.
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.slot.target.borrow_mut())
    }
}

impl<T> Drop for Registered<T> {
    fn drop(&mut self) {
        unsafe { ffi::ep_remove(self.slot.at.as_ptr(), self.badge) }
    }
}

/// The handler may drop what owns it: it runs on a reference of its own.
unsafe fn another<T>(ctx: *mut c_void) -> Rc<T> {
    let at = ctx as *const T;
    Rc::increment_strong_count(at);
    Rc::from_raw(at)
}

extern "C" fn called<T: Object>(ctx: *mut c_void, raw: *mut abi::EpRequest) -> i32 {
    let slot = unsafe { another::<Slot<T>>(ctx) };
    let mut req = Request { at: slot.at, raw: unsafe { &mut *raw }, deferred: false };
    let result = slot.target.borrow_mut().call(&mut req);
    match result {
        _ if req.deferred => abi::EP_DEFERRED,
        Ok(()) => 0,
        Err(e) => -e.errno(),
    }
}

/// A call that came, and the reply to it.
pub struct Request<'a> {
    at: Handle,
    raw: &'a mut abi::EpRequest,
    deferred: bool,
}

impl Request<'_> {
    pub fn method(&self) -> u64 {
        self.raw.method
    }

    pub fn data(&self) -> &[u8] {
        if self.raw.len == 0 {
            return &[];
        }
        unsafe { slice::from_raw_parts(self.raw.data, self.raw.len) }
    }

    /// Capability @i that came along; EBADF if none did. What is not taken is closed.
    pub fn take_cap(&mut self, i: usize) -> Result<Cap> {
        let i = u32::try_from(i).unwrap_or(u32::MAX);
        let fd = check(unsafe { ffi::ep_take_cap(self.raw, i) })?;
        Ok(unsafe { Cap::from_fd(fd) })
    }

    /// Append @data to the reply; EMSGSIZE if that does not fit.
    pub fn reply(&mut self, data: &[u8]) -> Result<()> {
        let at = self.at.as_ptr();
        check(unsafe { ffi::ep_reply_data(at, self.raw, data.as_ptr(), data.len()) }).map(|_| ())
    }

    /// Send @cap along.
    pub fn reply_cap(&mut self, cap: Cap) -> Result<()> {
        check(unsafe { ffi::ep_reply_cap(self.raw, cap.fd(), 1) })?;
        let _ = cap.into_fd();
        Ok(())
    }

    /// Answer later: what the handler returns does not matter any more.
    pub fn defer(&mut self) -> Result<Deferred> {
        let fd = check(unsafe { ffi::ep_save_reply(self.at.as_ptr(), self.raw) })?;
        self.deferred = true;
        Ok(Deferred(unsafe { Cap::from_fd(fd) }))
    }
}

/// An answer that is owed. Dropped, the caller gets EPIPE.
pub struct Deferred(Cap);

impl Deferred {
    pub fn answer(self, result: Result<&[u8]>, cap: Option<&Cap>) -> Result<()> {
        let (status, data): (i32, &[u8]) = match result {
            Ok(data) => (0, data),
            Err(e) => (-e.errno(), &[]),
        };
        let cap = cap.map_or(-1, Cap::fd);
        let fd = self.0.into_fd();
        check(unsafe { ffi::ep_answer(fd, status, data.as_ptr(), data.len(), cap) }).map(|_| ())
    }
}

// --- notifications -----------------------------------------------------------------

struct SignalSlot(RefCell<Box<dyn FnMut(u64)>>);

/// A notification that is handled, until this is dropped.
pub struct Signals {
    at: Handle,
    notification: Notification,
    badge: u64,
    _slot: Rc<SignalSlot>,
}

impl Handle {
    /// A notification; @handler gets how many signals have come.
    pub fn on_signal(self, handler: impl FnMut(u64) + 'static) -> Result<Signals> {
        let slot = Rc::new(SignalSlot(RefCell::new(Box::new(handler))));
        let ctx = Rc::as_ptr(&slot) as *mut c_void;
        let mut badge = 0;
        let fd = check(unsafe {
            ffi::ep_new_notification(self.as_ptr(), signalled, ctx, &mut badge)
        })?;
        let notification = Notification::from_cap(unsafe { Cap::from_fd(fd) });
        Ok(Signals { at: self, notification, badge, _slot: slot })
    }
}

impl Signals {
    /// What may only signal it, to be passed on.
    pub fn signaller(&self) -> Result<Cap> {
        self.notification.signaller()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        unsafe { ffi::ep_remove(self.at.as_ptr(), self.badge) }
    }
}

extern "C" fn signalled(ctx: *mut c_void, count: u64) {
    let slot = unsafe { another::<SignalSlot>(ctx) };
    (slot.0.borrow_mut())(count);
}

// --- timers -------------------------------------------------------------------------

struct TimerSlot {
    raw: RefCell<abi::EpTimer>,
    handler: RefCell<Box<dyn FnMut()>>,
}

/// Runs a handler at a time; dropped, it does not.
pub struct Timer {
    at: Handle,
    slot: Rc<TimerSlot>,
}

impl Handle {
    pub fn timer(self, handler: impl FnMut() + 'static) -> Timer {
        let slot = Rc::new(TimerSlot {
            raw: RefCell::new(abi::EpTimer {
                at: abi::NO_DEADLINE,
                fire: fired,
                ctx: ptr::null_mut(),
                patience: 0,
                next: ptr::null_mut(),
            }),
            handler: RefCell::new(Box::new(handler)),
        });
        slot.raw.borrow_mut().ctx = Rc::as_ptr(&slot) as *mut c_void;
        Timer { at: self, slot }
    }
}

impl Timer {
    /// At @time, once, instead of when it was set to before.
    pub fn set(&self, time: Time) {
        unsafe { ffi::ep_timer_set(self.at.as_ptr(), self.slot.raw.as_ptr(), time.0) }
    }

    pub fn cancel(&self) {
        unsafe { ffi::ep_timer_cancel(self.at.as_ptr(), self.slot.raw.as_ptr()) }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.cancel()
    }
}

extern "C" fn fired(ctx: *mut c_void) {
    let slot = unsafe { another::<TimerSlot>(ctx) };
    (slot.handler.borrow_mut())();
}
