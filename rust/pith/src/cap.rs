// SPDX-License-Identifier: BSD-2-Clause
//! Capabilities, closed when their owner goes.
use crate::abi;
use crate::error::{check, Error, Result};
use crate::ffi;
use crate::rpc;
use crate::time::Deadline;
use alloc::vec::Vec;
use core::ops::Deref;
use core::ptr::NonNull;

/// A capability that this component holds.
pub struct Cap(i32);

impl Cap {
    /// # Safety
    /// @fd is a capability and nobody else closes it.
    pub unsafe fn from_fd(fd: i32) -> Cap {
        Cap(fd)
    }

    pub fn fd(&self) -> i32 {
        self.0
    }

    pub(crate) fn into_fd(self) -> i32 {
        let fd = self.0;
        core::mem::forget(self);
        fd
    }

    /// Call the object: method @method with @req; the reply's bytes go to @rep, and
    /// how many came is returned. More than fit is EPROTO.
    pub fn call(&self, method: u64, req: &[u8], rep: &mut [u8], by: Deadline) -> Result<usize> {
        rpc::call(self.0, method, req, &[], rep, 0, by).map(|r| r.0)
    }

    /// The same with capabilities: copies of @send go along, and up to @want come back.
    pub fn call_with(
        &self,
        method: u64,
        req: &[u8],
        send: &[&Cap],
        rep: &mut [u8],
        want: usize,
        by: Deadline,
    ) -> Result<(usize, Vec<Cap>)> {
        rpc::call(self.0, method, req, send, rep, want, by)
    }

    /// The same object with fewer rights, or an equal capability.
    pub fn mint(&self, rights: u32) -> Result<Cap> {
        check(unsafe { ffi::pith_mint(self.0, rights) }).map(Cap)
    }

    /// Memory of @size bytes, a multiple of the page, which this component pays.
    pub fn memory(size: u64) -> Result<Cap> {
        check(unsafe { ffi::pith_mem_create(-1, size, 0) }).map(Cap)
    }

    /// All of this memory, to read and perhaps to write.
    pub fn map(&self, writable: bool) -> Result<Mapping> {
        let size = unsafe { ffi::pith_mem_size(self.0) };
        if size < 0 {
            return Err(Error::from_errno(-size as i32));
        }
        let prot = abi::MAP_READ | if writable { abi::MAP_WRITE } else { 0 };
        let mut err = 0;
        let at = unsafe { ffi::pith_map(self.0, 0, 0, prot, &mut err) };
        match NonNull::new(at) {
            Some(at) => Ok(Mapping { at, size: size as usize, writable }),
            None => Err(Error::from_errno(-err)),
        }
    }
}

impl Drop for Cap {
    fn drop(&mut self) {
        unsafe { ffi::pith_close(self.0) }
    }
}

/// Memory that others may share, and change at any time: bytes are copied in and
/// out, never borrowed.
pub struct Mapping {
    at: NonNull<u8>,
    size: usize,
    writable: bool,
}

impl Mapping {
    pub fn size(&self) -> usize {
        self.size
    }

    fn check(&self, offset: usize, len: usize) -> Result<()> {
        if offset <= self.size && len <= self.size - offset {
            Ok(())
        } else {
            Err(Error::EINVAL)
        }
    }

    pub fn copy_out(&self, offset: usize, to: &mut [u8]) -> Result<()> {
        self.check(offset, to.len())?;
        for (i, byte) in to.iter_mut().enumerate() {
            *byte = unsafe { self.at.as_ptr().add(offset + i).read_volatile() };
        }
        Ok(())
    }

    pub fn copy_in(&mut self, offset: usize, from: &[u8]) -> Result<()> {
        if !self.writable {
            return Err(Error::EACCES);
        }
        self.check(offset, from.len())?;
        for (i, byte) in from.iter().enumerate() {
            unsafe { self.at.as_ptr().add(offset + i).write_volatile(*byte) };
        }
        Ok(())
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        unsafe { ffi::pith_unmap(self.at.as_ptr(), self.size as u64) };
    }
}

/// A notification, to be signalled.
pub struct Notification(Cap);

impl Notification {
    pub fn new() -> Result<Notification> {
        let fd = check(unsafe { ffi::pith_notif_create() })?;
        Ok(Notification(Cap(fd)))
    }

    pub fn from_cap(cap: Cap) -> Notification {
        Notification(cap)
    }

    pub fn signal(&self, count: u64) -> Result<()> {
        let fd = self.0.fd() as i64;
        let ret = unsafe { ffi::pith_syscall4(abi::NR_SIGNAL as i64, fd, count as i64, 0, 0) };
        check(ret as i32).map(|_| ())
    }

    /// What may only signal it, to be passed on.
    pub fn signaller(&self) -> Result<Cap> {
        self.0.mint(abi::R_SIGNAL)
    }
}

impl Deref for Notification {
    type Target = Cap;

    fn deref(&self) -> &Cap {
        &self.0
    }
}
