//! Tests that leave something to chance, such as the moment of a kill: how many rounds they go through, and which ones.
//!
//! `MOON_TORTURE_ROUNDS` says how many (10 unless set), and `MOON_TORTURE_SEED` which: what happens by chance follows from
//! it, though not what others do meanwhile. `cargo xtask torture` sets both.

use crate::random::Chance;

/// How many rounds a test goes through unless it is told.
const ROUNDS_DEFAULT: u32 = 10;

fn number(variable: &str, default: u32) -> u32 {
    std::env::var(variable).map_or(default, |text| text.parse().expect("rounds and seeds are numbers"))
}

/// How many rounds a test goes through.
#[must_use]
pub fn rounds() -> u32 {
    number("MOON_TORTURE_ROUNDS", ROUNDS_DEFAULT)
}

/// What happens by chance in a round.
#[must_use]
pub fn chance(round: u32) -> Chance {
    let seed = u64::from(number("MOON_TORTURE_SEED", 1)) << 32 | u64::from(round);
    // Neighbouring seeds are the same sequence, one number further.
    Chance::new(Chance::new(seed).below(u64::MAX))
}
