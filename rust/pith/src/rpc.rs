// SPDX-License-Identifier: BSD-2-Clause
//! Calls.
use crate::abi;
use crate::cap::Cap;
use crate::error::{check, Error, Result};
use crate::ffi;
use crate::time::Deadline;
use alloc::vec::Vec;
use core::ptr;

pub(crate) fn call(
    fd: i32,
    method: u64,
    req: &[u8],
    send: &[&Cap],
    rep: &mut [u8],
    want: usize,
    by: Deadline,
) -> Result<(usize, Vec<Cap>)> {
    let mut sent = [-1; abi::MSG_CAPS];
    let mut got = [-1; abi::MSG_CAPS];
    if send.len() > sent.len() || want > got.len() {
        return Err(Error::EINVAL);
    }
    for (slot, cap) in sent.iter_mut().zip(send) {
        *slot = cap.fd();
    }
    let mut r = abi::Rpc {
        req: req.as_ptr(),
        req_len: req.len(),
        tail: ptr::null(),
        tail_len: 0,
        caps: sent.as_ptr(),
        ncaps: send.len() as u32,
        rep: ptr::null_mut(),
        rep_len: 0,
        rep_tail: rep.as_mut_ptr(),
        rep_tail_size: rep.len(),
        rep_tail_len: 0,
        rep_caps: got.as_mut_ptr(),
        nrep_caps: want as u32,
    };
    check(unsafe { ffi::rpc_call(fd, method, &mut r, by.0) })?;
    let caps = got.iter().filter(|fd| **fd >= 0).map(|fd| unsafe { Cap::from_fd(*fd) });
    Ok((r.rep_tail_len.min(rep.len()), caps.collect()))
}
