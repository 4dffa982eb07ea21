//! Marks: what a change has touched, for the next aggregation run.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{BusinessDate, Period, ProductCode, Source};

/// Something whose published figures may be out of date, or that the record of the next run tells. Appended in the
/// transaction of the change itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// A day on which a posting of a changed sale lay or lies.
    Day(BusinessDate),
    /// A target of a product (of all of them together: `None`) in a period.
    Target {
        /// The product.
        product: Option<ProductCode>,
        /// The period of the target.
        period: Period,
    },
    /// Names, regions or lines: the dimension tables.
    Dimensions,
    /// Whose figures may be told apart: a consent for performance analytics was given or withdrawn.
    Consents,
    /// Messages of a source were taken in. No figure depends on it: a run tells when the last one arrived.
    Arrival {
        /// Where they came from.
        source: Source,
        /// When (UTC), in whole seconds, so that many small calls leave few different marks.
        at: DateTime<Utc>,
    },
}
