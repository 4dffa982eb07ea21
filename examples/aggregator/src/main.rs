//! The batch job as a program.

fn main() {}
