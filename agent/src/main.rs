//! The program `ferroalloy`.
fn main() {}
