// SPDX-License-Identifier: BSD-2-Clause
//! Functions of the component library; its headers say what they do.
use crate::abi::*;
use core::ffi::c_void;

extern "C" {
    pub fn log_line(format: *const u8, ...);
    pub fn exit(code: i32) -> !;
    pub fn malloc(size: usize) -> *mut u8;
    pub fn free(at: *mut u8);
    pub fn aligned_alloc(align: usize, size: usize) -> *mut u8;

    pub fn pith_close(fd: i32);
    pub fn pith_mint(fd: i32, rights: u32) -> i32;
    pub fn pith_notif_create() -> i32;
    pub fn pith_mem_create(domain: i32, size: u64, flags: u32) -> i32;
    pub fn pith_mem_size(mem: i32) -> i64;
    pub fn pith_map(mem: i32, offset: u64, size: u64, prot: u32, err: *mut i32) -> *mut u8;
    pub fn pith_unmap(at: *mut u8, size: u64) -> i32;
    pub fn pith_now() -> u64;
    pub fn pith_syscall4(nr: i64, a: i64, b: i64, c: i64, d: i64) -> i64;

    pub fn env_session_with(
        s: *mut Session,
        service: *const u8,
        label: *const u8,
        args: *const u8,
        quota: *const SessionQuota,
        cap: i32,
        deadline: u64,
    ) -> i32;
    pub fn env_close(s: *mut Session);
    pub fn rom_open(rom: *mut Rom, name: *const u8) -> i32;
    pub fn rom_close(rom: *mut Rom);
    pub fn rpc_call(cap: i32, method: u64, r: *mut Rpc, deadline: u64) -> i32;

    pub fn ep_init(ep: *mut Entrypoint) -> i32;
    pub fn ep_remove(ep: *mut Entrypoint, badge: u64);
    pub fn ep_new_object(
        ep: *mut Entrypoint,
        call: CallFn,
        ctx: *mut c_void,
        badge: *mut u64,
    ) -> i32;
    pub fn ep_new_notification(
        ep: *mut Entrypoint,
        notify: NotifyFn,
        ctx: *mut c_void,
        badge: *mut u64,
    ) -> i32;
    pub fn ep_timer_set(ep: *mut Entrypoint, t: *mut EpTimer, at: u64);
    pub fn ep_timer_cancel(ep: *mut Entrypoint, t: *mut EpTimer);
    pub fn ep_dispatch(ep: *mut Entrypoint, deadline: u64) -> i32;
    pub fn ep_run(ep: *mut Entrypoint) -> !;
    pub fn ep_reply_data(
        ep: *mut Entrypoint,
        req: *mut EpRequest,
        data: *const u8,
        len: usize,
    ) -> i32;
    pub fn ep_reply_cap(req: *mut EpRequest, fd: i32, close: i32) -> i32;
    pub fn ep_take_cap(req: *mut EpRequest, i: u32) -> i32;
    pub fn ep_save_reply(ep: *mut Entrypoint, req: *mut EpRequest) -> i32;
    pub fn ep_answer(reply: i32, status: i32, data: *const u8, len: usize, cap: i32) -> i32;
    pub fn service_announce(ep: *mut Entrypoint, services: *mut Service, n: u32) -> i32;
}
