// SPDX-License-Identifier: BSD-2-Clause
//! What a component asks its parent for.
use crate::abi;
use crate::cap::Cap;
use crate::error::{check, Error, Result};
use crate::ffi;
use crate::rpc;
use crate::time::Deadline;
use alloc::vec::Vec;
use core::ptr;

/// What a session costs: moved to its server until it is closed.
#[derive(Clone, Copy)]
pub struct Quota {
    /// bytes, a multiple of 4096
    pub ram: u64,
    pub caps: u64,
}

/// A session of this component, closed when dropped.
pub struct Session(abi::Session);

/// @text as C wants it, in an array of N bytes.
fn c_string<const N: usize>(text: &str) -> Result<[u8; N]> {
    let mut out = [0; N];
    if text.len() >= N || text.bytes().any(|b| b == 0) {
        return Err(Error::EINVAL);
    }
    out[..text.len()].copy_from_slice(text.as_bytes());
    Ok(out)
}

impl Session {
    /// A session to @service with its usual quota, within ten seconds.
    pub fn open(service: &str, label: &str) -> Result<Session> {
        Session::open_with(service, label, "", None, Deadline::seconds(10))
    }

    /// All that can be said: @label is what in the service, @args "tag=value, ...".
    pub fn open_with(
        service: &str,
        label: &str,
        args: &str,
        quota: Option<Quota>,
        by: Deadline,
    ) -> Result<Session> {
        let service = c_string::<{ abi::SERVICE_MAX }>(service)?;
        let label = c_string::<{ abi::LABEL_MAX }>(label)?;
        let args = c_string::<{ abi::ARGS_MAX }>(args)?;
        let quota = quota.map(|q| abi::SessionQuota { ram: q.ram, caps: q.caps });
        let quota = quota.as_ref().map_or(ptr::null(), |q| q as *const _);
        let mut s = abi::Session { cap: -1, id: 0 };
        check(unsafe {
            ffi::env_session_with(
                &mut s,
                service.as_ptr(),
                label.as_ptr(),
                args.as_ptr(),
                quota,
                -1,
                by.0,
            )
        })?;
        Ok(Session(s))
    }

    /// See [`Cap::call`].
    pub fn call(&self, method: u64, req: &[u8], rep: &mut [u8], by: Deadline) -> Result<usize> {
        rpc::call(self.0.cap, method, req, &[], rep, 0, by).map(|r| r.0)
    }

    /// See [`Cap::call_with`].
    pub fn call_with(
        &self,
        method: u64,
        req: &[u8],
        send: &[&Cap],
        rep: &mut [u8],
        want: usize,
        by: Deadline,
    ) -> Result<(usize, Vec<Cap>)> {
        rpc::call(self.0.cap, method, req, send, rep, want, by)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        unsafe { ffi::env_close(&mut self.0) }
    }
}

/// The content of ROM @name, copied: what serves it may change it.
pub fn rom(name: &str) -> Result<Vec<u8>> {
    let name = c_string::<{ abi::LABEL_MAX }>(name)?;
    let mut rom = abi::Rom {
        session: abi::Session { cap: -1, id: 0 },
        mem: -1,
        own: 0,
        data: ptr::null(),
        size: 0,
    };
    check(unsafe { ffi::rom_open(&mut rom, name.as_ptr()) })?;
    let mut out = Vec::new();
    let size = rom.size as usize;
    let room = out.try_reserve_exact(size);
    if room.is_ok() {
        out.extend((0..size).map(|i| unsafe { rom.data.add(i).read_volatile() }));
    }
    unsafe { ffi::rom_close(&mut rom) };
    room.map(|_| out).map_err(|_| Error::ENOMEM)
}
