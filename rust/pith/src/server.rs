// SPDX-License-Identifier: BSD-2-Clause
//! Offering services.
use crate::abi;
use crate::cap::Cap;
use crate::entrypoint::{Handle, Object, Registered};
use crate::error::{check, Error, Result};
use crate::ffi;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::ffi::c_void;
use core::ptr;

/// Who opens sessions of one service.
pub trait Server: 'static {
    type Session: Object;

    /// The session's object. It is dropped when the client closes it or dies.
    fn open(&mut self, opening: &Opening<'_>) -> Result<Self::Session>;
}

/// What is known of a session to be opened.
pub struct Opening<'a>(&'a abi::ParentRequest);

fn text(bytes: &[u8]) -> Result<&str> {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    core::str::from_utf8(&bytes[..end]).map_err(|_| Error::EINVAL)
}

impl Opening<'_> {
    /// Who asks, outermost first, and what for: "shell -> disk".
    pub fn label(&self) -> Result<&str> {
        text(&self.0.label)
    }

    /// "tag=value, ..."
    pub fn args(&self) -> Result<&str> {
        text(&self.0.args)
    }

    /// EDQUOT unless the client has donated so much, which is this component's
    /// already.
    pub fn needs(&self, ram: u64, caps: u64) -> Result<()> {
        if self.0.ram >= ram && self.0.caps >= caps {
            Ok(())
        } else {
            Err(Error::EDQUOT)
        }
    }
}

struct Provider<S> {
    at: Handle,
    server: RefCell<S>,
}

impl<S: Server> Provider<S> {
    fn open(&self, req: &abi::ParentRequest) -> Result<(Registered<S::Session>, Cap)> {
        let object = self.server.borrow_mut().open(&Opening(req))?;
        self.at.register(object)
    }
}

extern "C" fn open<S: Server>(
    ctx: *mut c_void,
    req: *const abi::ParentRequest,
    session: *mut *mut c_void,
) -> i32 {
    let provider = unsafe { &*(ctx as *const Provider<S>) };
    match provider.open(unsafe { &*req }) {
        Ok((object, cap)) => {
            unsafe { *session = Box::into_raw(Box::new(object)) as *mut c_void };
            cap.into_fd()
        }
        Err(e) => -e.errno(),
    }
}

extern "C" fn close<S: Server>(_: *mut c_void, session: *mut c_void) {
    drop(unsafe { Box::from_raw(session as *mut Registered<S::Session>) })
}

/// The services of a component, announced together and once.
pub struct Services {
    at: Handle,
    all: Vec<abi::Service>,
}

impl Services {
    pub fn new(at: Handle) -> Services {
        Services { at, all: Vec::new() }
    }

    /// @name ends with a NUL: "Hello\0".
    pub fn add<S: Server>(mut self, name: &'static str, server: S) -> Services {
        assert!(name.ends_with('\0') && name.len() <= abi::SERVICE_MAX);
        let provider = Provider { at: self.at, server: RefCell::new(server) };
        self.all.push(abi::Service {
            name: name.as_ptr(),
            open: open::<S>,
            close: close::<S>,
            ctx: Box::into_raw(Box::new(provider)) as *mut c_void,
            sessions: abi::IdTable { places: ptr::null_mut(), n: 0, nplaces: 0 },
        });
        self
    }

    /// Sessions are opened from the entrypoint from now on, for as long as the
    /// component lives.
    pub fn announce(self) -> Result<()> {
        let all = Box::leak(self.all.into_boxed_slice());
        check(unsafe {
            ffi::service_announce(self.at.as_ptr(), all.as_mut_ptr(), all.len() as u32)
        })
        .map(|_| ())
    }
}
