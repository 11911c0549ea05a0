// SPDX-License-Identifier: BSD-2-Clause
//! Time since boot. Every wait has a deadline.
use crate::ffi;
use core::ops::Add;
use core::time::Duration;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub(crate) u64);

impl Time {
    pub fn now() -> Time {
        Time(unsafe { ffi::pith_now() })
    }

    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Time;

    fn add(self, d: Duration) -> Time {
        let ns = u64::try_from(d.as_nanos()).unwrap_or(u64::MAX);
        // u64::MAX itself means never
        Time(self.0.saturating_add(ns).min(u64::MAX - 1))
    }
}

/// When a call or a wait is given up.
#[derive(Clone, Copy)]
pub struct Deadline(pub(crate) u64);

impl Deadline {
    pub fn at(t: Time) -> Deadline {
        Deadline(t.0)
    }

    pub fn after(d: Duration) -> Deadline {
        Deadline::at(Time::now() + d)
    }

    pub fn seconds(n: u64) -> Deadline {
        Deadline::after(Duration::from_secs(n))
    }
}
