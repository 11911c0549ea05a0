// SPDX-License-Identifier: BSD-2-Clause
//! The Hello service, session/hello.h, in Rust.
#![no_std]
extern crate alloc;

use alloc::format;
use pith::{Entrypoint, Error, Object, Opening, Request, Result, Server, Services};

const NAME_MAX: usize = 32;
const GREET: u64 = 1;
const COUNT: u64 = 2;

#[derive(Default)]
struct Guest {
    greetings: u64,
}

impl Object for Guest {
    fn call(&mut self, req: &mut Request<'_>) -> Result<()> {
        match req.method() {
            GREET => {
                let name = core::str::from_utf8(req.data()).map_err(|_| Error::EINVAL)?;
                if name.is_empty() || name.len() > NAME_MAX {
                    return Err(Error::EINVAL);
                }
                let text = format!("Hello {} from Rust!", name);
                self.greetings += 1;
                req.reply(text.as_bytes())
            }
            COUNT => req.reply(&self.greetings.to_ne_bytes()),
            _ => Err(Error::ENOSYS),
        }
    }
}

struct Hello;

impl Server for Hello {
    type Session = Guest;

    fn open(&mut self, opening: &Opening<'_>) -> Result<Guest> {
        opening.needs(4096, 2)?;
        Ok(Guest::default())
    }
}

fn main() -> i32 {
    let ep = Entrypoint::new().expect("no entrypoint");
    Services::new(ep.handle()).add("Hello\0", Hello).announce().expect("cannot announce Hello");
    ep.run()
}

pith::component!(main);
