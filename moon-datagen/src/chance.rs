//! Chance: ChaCha with eight rounds, whose numbers are fixed by its definition. Only whole numbers are drawn and only
//! whole numbers are computed with, so a seed means the same history on every machine and for ever.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// What chances are given in: this is certainty.
pub(crate) const CERTAIN: u16 = 10_000;

/// Independent sequences of one seed. Drawing more from one never changes another. The numbers stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Sales, each at its own place; see [`SaleDraws`].
    Sales = 0,
    /// Teams, branches, agents.
    Force = 1,
    /// Joining, leaving, transfers.
    Careers = 2,
    /// Good and bad days.
    Season = 3,
    /// Targets.
    Targets = 4,
}

/// A sequence of random numbers.
#[derive(Debug, Clone)]
pub(crate) struct Chance(ChaCha8Rng);

impl Chance {
    pub(crate) fn new(seed: u64, stream: Stream) -> Self {
        let bytes = seed.to_le_bytes();
        let mut rng = ChaCha8Rng::from_seed(std::array::from_fn(|index| bytes.get(index).copied().unwrap_or(0)));
        rng.set_stream(stream as u64);
        Self(rng)
    }

    pub(crate) fn word(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// From 0 up to but without `bound`; 0 when there is nothing to choose from.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        scale(self.word(), bound)
    }

    /// From `low` to `high`, both included.
    pub(crate) fn within(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True with a chance of `rate` in [`CERTAIN`].
    pub(crate) fn happens(&mut self, rate: u16) -> bool {
        self.below(CERTAIN.into()) < rate.into()
    }
}

/// Maps a word evenly onto 0 up to but without `bound`.
fn scale(word: u64, bound: u64) -> u64 {
    u64::try_from((u128::from(word) * u128::from(bound)) >> 64).unwrap_or(0)
}

/// What is drawn for a sale. Each has its own word, so that one choice never shifts another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Draw {
    WithoutAgent,
    Agent,
    Product,
    Size,
    Skew,
    Cents,
    Kind,
    Endorsement,
    Policy,
    TeamGiven,
    BranchGiven,
    BranchOwn,
    BranchElsewhere,
    Reversal,
    Original,
    Backdated,
    ArrivalDelay,
    Fate,
    FateDelay,
    Part,
    PartSize,
    Reinstated,
    ReinstatedDelay,
    Correction,
    Corrected,
    CorrectedUp,
}

const DRAWS: usize = Draw::CorrectedUp as usize + 1;

/// All that chance has to say about one sale.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Draws([u64; DRAWS]);

impl Draws {
    pub(crate) fn word(&self, draw: Draw) -> u64 {
        self.0.get(draw as usize).copied().unwrap_or(0)
    }

    /// From 0 up to but without `bound`; 0 when there is nothing to choose from.
    pub(crate) fn below(&self, draw: Draw, bound: u64) -> u64 {
        scale(self.word(draw), bound)
    }

    /// From `low` to `high`, both included.
    pub(crate) fn within(&self, draw: Draw, low: u64, high: u64) -> u64 {
        low + self.below(draw, high.saturating_sub(low) + 1)
    }

    /// True with a chance of `rate` in [`CERTAIN`].
    pub(crate) fn happens(&self, draw: Draw, rate: u16) -> bool {
        self.below(draw, CERTAIN.into()) < rate.into()
    }
}

/// The draws of every sale, found by its number: whatever happens to a sale later needs nothing to be remembered but the
/// number.
#[derive(Debug, Clone)]
pub(crate) struct SaleDraws {
    chance: Chance,
    next: u64,
    last: Option<(u64, Draws)>,
}

impl SaleDraws {
    pub(crate) fn new(seed: u64) -> Self {
        Self { chance: Chance::new(seed, Stream::Sales), next: 0, last: None }
    }

    pub(crate) fn of(&mut self, sale: u64) -> Draws {
        if let Some((_, draws)) = self.last.filter(|(last, _)| *last == sale) {
            return draws;
        }
        if sale != self.next {
            // The generator counts in words of 32 bits.
            self.chance.0.set_word_pos(u128::from(sale) * 2 * u128::try_from(DRAWS).unwrap_or(0));
        }
        self.next = sale.wrapping_add(1);
        let draws = Draws(std::array::from_fn(|_| self.chance.word()));
        self.last = Some((sale, draws));
        draws
    }
}

/// Picks an index by weight.
#[derive(Debug, Clone, Default)]
pub(crate) struct Weighted {
    /// Ascending: the weight of all up to and with each index.
    ends: Vec<u64>,
}

impl Weighted {
    pub(crate) fn new(weights: impl Iterator<Item = u64>) -> Self {
        let ends = weights.scan(0_u64, |sum, weight| {
            *sum = sum.saturating_add(weight);
            Some(*sum)
        });
        Self { ends: ends.collect() }
    }

    pub(crate) fn total(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// The index whose share of the weight holds `point`, which lies below [`total`](Self::total).
    pub(crate) fn index_of(&self, point: u64) -> usize {
        self.ends.partition_point(|end| *end <= point)
    }

    /// An index by a random word; `None` when there is nothing to choose from.
    pub(crate) fn pick(&self, word: u64) -> Option<usize> {
        (self.total() > 0).then(|| self.index_of(scale(word, self.total())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_cipher_for_ever() {
        // The key of zeros: the beginning of the key stream of ChaCha8 as published for its reference implementation.
        assert_eq!(
            Chance::new(0, Stream::Sales).word().to_le_bytes(),
            [0x3e, 0x00, 0xef, 0x2f, 0x89, 0x5f, 0x40, 0xd6]
        );
        assert_ne!(Chance::new(0, Stream::Force).word(), Chance::new(0, Stream::Sales).word());
        assert_ne!(Chance::new(1, Stream::Sales).word(), Chance::new(0, Stream::Sales).word());
    }

    #[test]
    fn the_draws_of_a_sale_do_not_depend_on_what_was_asked_before() {
        let mut forward = SaleDraws::new(7);
        let words: Vec<u64> = (0..50).map(|sale| forward.of(sale).word(Draw::CorrectedUp)).collect();
        let mut backward = SaleDraws::new(7);
        let mut again: Vec<u64> = (0..50).rev().map(|sale| backward.of(sale).word(Draw::CorrectedUp)).collect();
        again.reverse();
        assert_eq!(words, again);
    }

    #[test]
    fn bounds_hold_at_both_ends() {
        assert_eq!((scale(0, 10), scale(u64::MAX, 10), scale(u64::MAX, u64::MAX)), (0, 9, u64::MAX - 1));
        assert_eq!((scale(u64::MAX, 0), scale(u64::MAX, 1)), (0, 0));
        let weighted = Weighted::new([2, 0, 3].into_iter());
        assert_eq!([0, 1, 2, 4].map(|point| weighted.index_of(point)), [0, 0, 2, 2]);
        assert_eq!((weighted.pick(0), weighted.pick(u64::MAX)), (Some(0), Some(2)));
        assert_eq!(Weighted::default().pick(5), None);
    }
}
