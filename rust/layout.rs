// SPDX-License-Identifier: BSD-2-Clause
//! Prints what rust/pith/src/abi.rs says as assertions in C.
#[path = "pith/src/abi.rs"]
#[allow(dead_code)]
mod abi;

fn main() {
    use abi::Fact::*;
    for fact in abi::STRUCTS.iter().copied().flatten().chain(abi::NUMBERS) {
        let (left, right) = match fact {
            Size(c, n) => (format!("sizeof({c})"), *n as u64),
            Offset(c, field, n) => (format!("offsetof({c}, {field})"), *n as u64),
            Number(c, n) => (format!("(unsigned long long)({c})"), *n),
        };
        println!("_Static_assert({left} == {right}ull, \"{left}\");");
    }
}
