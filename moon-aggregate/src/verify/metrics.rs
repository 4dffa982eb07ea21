//! Which rows of product metrics differ.

use std::collections::BTreeMap;
use std::sync::Arc;

use moon_core::{BusinessDate, ProductMetrics, ProductRow};

/// A month (`None`: all time), a product, its published row and the one of the source.
type RowDifference = (Option<BusinessDate>, Arc<str>, Option<ProductRow>, Option<ProductRow>);

/// The published row and the one of the source.
type Pair<'r> = [Option<&'r ProductRow>; 2];

/// The rows that differ, those of all time first, ascending by month and product.
pub(super) fn differences(published: &[ProductMetrics], source: &[ProductMetrics]) -> Vec<RowDifference> {
    let mut rows: BTreeMap<(Option<BusinessDate>, &Arc<str>), Pair<'_>> = BTreeMap::new();
    for (side, all) in [published, source].into_iter().enumerate() {
        for metrics in all {
            for row in &metrics.rows {
                let pair = rows.entry((metrics.month, &row.product)).or_default();
                if let Some(place) = pair.get_mut(side) {
                    *place = Some(row);
                }
            }
        }
    }
    rows.into_iter()
        .filter(|(_, [published, source])| published != source)
        .map(|((month, product), [published, source])| {
            (month, Arc::clone(product), published.cloned(), source.cloned())
        })
        .collect()
}
