//! What a snapshot does not have any more.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use moon_core::{Ledger, PAGE_LIMIT_MAX, PageRequest, Reference, Result, SaleQuery, Source};

use crate::report::MissingRows;

/// How many missing references a report names.
const FIRST_MAX: usize = 10;

/// The references of a file, as a hash of 16 bytes each: the one thing that grows with a snapshot. Two references with
/// the same hash could hide a missing one, once in some 10^38 pairs.
#[derive(Debug, Default)]
pub(crate) struct References {
    hashes: HashSet<u128>,
}

impl References {
    /// Whether the file had it not before.
    pub(crate) fn add(&mut self, reference: &Reference) -> bool {
        self.hashes.insert(hash(reference))
    }

    /// The sales of a source in the ledger that are not among these, except void ones.
    /// `looked` is told after each page.
    pub(crate) async fn missing(
        self,
        ledger: &Ledger,
        source: &Source,
        looked: &mut (dyn FnMut() + Send),
    ) -> Result<MissingRows> {
        let mut missing = MissingRows::default();
        let mut unit = ledger.snapshot().await?;
        let query = SaleQuery::default();
        let mut request = Some(PageRequest::first(PAGE_LIMIT_MAX));
        while let Some(page_request) = request {
            let page = unit.sales().list(&query, &page_request).await?;
            request = page_request.following(&page);
            for sale in page.items.into_iter().filter(|sale| sale.key.source == *source && !sale.voided) {
                if !self.hashes.contains(&hash(&sale.key.reference)) {
                    missing.count += 1;
                    if missing.first.len() < FIRST_MAX {
                        missing.first.push(sale.key.reference);
                    }
                }
            }
            looked();
        }
        Ok(missing)
    }
}

fn hash(reference: &Reference) -> u128 {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, reference).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(1) << 64 | half(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_of_a_hash_depend_on_the_reference() {
        let of = |text: &str| hash(&Reference::new("reference", text).unwrap());
        let (one, two) = (of("1"), of("2"));
        assert_eq!(one, of("1"));
        assert_ne!(one >> 64, two >> 64);
        assert_ne!(one & u128::from(u64::MAX), two & u128::from(u64::MAX));
        assert_ne!(one >> 64, one & u128::from(u64::MAX));
    }
}
