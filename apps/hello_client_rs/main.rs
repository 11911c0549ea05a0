// SPDX-License-Identifier: BSD-2-Clause
//! Has itself greeted, by a server in whatever language.
#![no_std]

use core::time::Duration;
use pith::env::Session;
use pith::{log, Deadline, Entrypoint, Error, Result, Time};

const GREET: u64 = 1;
const COUNT: u64 = 2;

fn greet(hello: &Session, name: &str) -> Result<()> {
    let mut text = [0; 64];
    let len = hello.call(GREET, name.as_bytes(), &mut text, Deadline::seconds(5))?;
    let text = core::str::from_utf8(&text[..len]).map_err(|_| Error::EPROTO)?;
    log!("server says: {}", text);
    Ok(())
}

fn wait(d: Duration) -> Result<()> {
    let mut ep = Entrypoint::new()?;
    let start = Time::now();
    let timer = ep.handle().timer(move || log!("timer: {}", Time::now().since(start) >= d));
    timer.set(start + d);
    ep.dispatch(Deadline::seconds(10)).map(|_| ())
}

fn run() -> Result<()> {
    let hello = Session::open("Hello", "")?;
    greet(&hello, "R")?;
    let long = "a name that is longer than any server of these wants it";
    log!("long name: {:?}", greet(&hello, long));
    let mut count = [0; 8];
    hello.call(COUNT, &[], &mut count, Deadline::seconds(5))?;
    log!("greetings: {}", u64::from_ne_bytes(count));
    wait(Duration::from_millis(50))
}

fn main() -> i32 {
    match run() {
        Ok(()) => 0,
        Err(e) => {
            log!("Error: {}", e);
            1
        }
    }
}

pith::component!(main);
