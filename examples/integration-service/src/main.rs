//! Takes sales in.

fn main() {}
