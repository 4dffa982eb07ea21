//! Tests that leave something to chance, such as the moment of a kill: how many rounds they go through, and which ones.
//!
//! `MOON_TORTURE_ROUNDS` says how many (10 unless set), and `MOON_TORTURE_SEED` which: what happens by chance follows from
//! it, though not what others do meanwhile. `MOON_TEST_CASES` says how many random histories a test makes, which are the same
//! on every machine as long as no seed is set. `cargo xtask torture` sets all three.

use proptest::test_runner::{RngAlgorithm, TestRng};

use crate::random::Chance;

/// How many rounds a test goes through unless it is told.
const ROUNDS_DEFAULT: u32 = 10;

/// What a test is about must happen in one of so many rounds at least.
const HAPPENED_OF: u32 = 5;

/// When that has not happened, more rounds are made: so many times those that are wished, and no fewer than [`MORE_MIN`].
const MORE: u32 = 4;
const MORE_MIN: u32 = 40;

fn set(variable: &str) -> Option<u32> {
    std::env::var(variable).ok().map(|text| text.parse().expect("rounds, seeds and cases are numbers"))
}

/// How many rounds a test goes through.
#[must_use]
pub fn rounds() -> u32 {
    set("MOON_TORTURE_ROUNDS").unwrap_or(ROUNDS_DEFAULT)
}

/// What happens by chance in a round.
#[must_use]
pub fn chance(round: u32) -> Chance {
    let seed = u64::from(set("MOON_TORTURE_SEED").unwrap_or(1)) << 32 | u64::from(round);
    // Neighbouring seeds are the same sequence, one number further.
    Chance::new(Chance::new(seed).below(u64::MAX))
}

/// How many random histories a test makes.
#[must_use]
pub fn cases(default: u32) -> u32 {
    set("MOON_TEST_CASES").unwrap_or(default)
}

/// What random histories are drawn from.
#[must_use]
pub fn histories() -> TestRng {
    let Some(seed) = set("MOON_TORTURE_SEED") else { return TestRng::deterministic_rng(RngAlgorithm::ChaCha) };
    let seed: Vec<u8> = seed.to_le_bytes().into_iter().cycle().take(32).collect();
    TestRng::from_seed(RngAlgorithm::ChaCha, &seed)
}

/// Rounds in which something is to happen by chance, such as a kill that breaks off a call: a test whose kills all come too
/// early or too late shows nothing. Where chance was against it, they go on.
///
/// ```
/// let mut rounds = moon_testkit::rounds::Rounds::new(&["heads"]);
/// while let Some(round) = rounds.begin() {
///     if moon_testkit::rounds::chance(round).below(2) == 1 {
///         rounds.happened("heads");
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Rounds {
    wished: u32,
    begun: u32,
    happened: Vec<(&'static str, u32)>,
}

impl Rounds {
    /// As many as are wished, and more until each of these things has happened in one of five of them.
    #[must_use]
    pub fn new(things: &[&'static str]) -> Self {
        Self { wished: rounds(), begun: 0, happened: things.iter().map(|thing| (*thing, 0)).collect() }
    }

    /// The number of the next round, from 0 on; `None` when there were enough.
    ///
    /// # Panics
    /// When there were four times as many as wished (and 40 or more), and something has happened too seldom.
    pub fn begin(&mut self) -> Option<u32> {
        let round = self.begun;
        if round >= self.wished {
            let enough = |times: u32| times > 0 && u64::from(times) * u64::from(HAPPENED_OF) >= u64::from(self.wished);
            if self.happened.iter().all(|(_, times)| enough(*times)) {
                return None;
            }
            let most = self.wished.saturating_mul(MORE).max(MORE_MIN);
            assert!(round < most, "after {round} rounds, happened too seldom: {:?}", self.happened);
        }
        self.begun += 1;
        Some(round)
    }

    /// Whether this round is beside those that were wished, because chance was against them.
    #[must_use]
    pub fn is_extra(&self) -> bool {
        self.begun > self.wished
    }

    /// Says that this thing has happened in this round. To be said once a round.
    ///
    /// # Panics
    /// When it is none of those that are counted.
    pub fn happened(&mut self, thing: &str) {
        let counted = self.happened.iter_mut().find(|(name, _)| *name == thing);
        counted.expect("one of the things that are counted").1 += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_go_on_until_it_has_happened() {
        let mut rounds = Rounds { wished: 3, begun: 0, happened: vec![("late", 0), ("always", 0)] };
        let mut begun = Vec::new();
        while let Some(round) = rounds.begin() {
            begun.push((round, rounds.is_extra()));
            rounds.happened("always");
            if round == 4 {
                rounds.happened("late");
            }
        }
        assert_eq!(begun, [(0, false), (1, false), (2, false), (3, true), (4, true)]);
    }

    #[test]
    #[should_panic(expected = "after 40 rounds, happened too seldom: [(\"never\", 0)]")]
    fn what_never_happens_fails() {
        let mut rounds = Rounds { wished: 3, begun: 0, happened: vec![("never", 0)] };
        while rounds.begin().is_some() {}
    }

    #[test]
    #[should_panic(expected = "happened too seldom: [(\"once\", 1)]")]
    fn what_happens_once_in_many_rounds_fails() {
        let mut rounds = Rounds { wished: 20, begun: 0, happened: vec![("once", 0)] };
        while let Some(round) = rounds.begin() {
            if round == 7 {
                rounds.happened("once");
            }
        }
    }
}
