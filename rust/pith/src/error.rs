// SPDX-License-Identifier: BSD-2-Clause
//! Errors are errno values, as everywhere in Pith.
use core::fmt;

#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Error(i32);

pub type Result<T> = core::result::Result<T, Error>;

macro_rules! errors {
    ($($name:ident = $value:expr;)*) => {
        impl Error {
            $(pub const $name: Error = Error($value);)*
        }
        impl fmt::Debug for Error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match *self {
                    $(Error::$name => f.write_str(stringify!($name)),)*
                    Error(n) => write!(f, "errno {}", n),
                }
            }
        }
    };
}

// Of Linux, the same on all its newer architectures.
errors! {
    EPERM = 1;
    ENOENT = 2;
    EIO = 5;
    EAGAIN = 11;
    ENOMEM = 12;
    EACCES = 13;
    EFAULT = 14;
    EBUSY = 16;
    EEXIST = 17;
    EINVAL = 22;
    EMFILE = 24;
    ENOSPC = 28;
    EPIPE = 32;
    ENOSYS = 38;
    EPROTO = 71;
    EBADF = 9;
    EMSGSIZE = 90;
    ETIMEDOUT = 110;
    EDQUOT = 122;
}

impl Error {
    /// From a positive errno; anything else is EINVAL.
    pub fn from_errno(n: i32) -> Error {
        if n > 0 && n < 4096 {
            Error(n)
        } else {
            Error::EINVAL
        }
    }

    pub fn errno(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What C returns: 0 or more, or a negative errno.
pub(crate) fn check(value: i32) -> Result<i32> {
    if value < 0 {
        Err(Error(-value))
    } else {
        Ok(value)
    }
}
