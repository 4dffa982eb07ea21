//! Value types: each can only hold what the domain allows, so that no rule has to be checked twice.

mod amount;
mod code;
mod currency;
mod date;
mod identity;
mod period;
mod text;

pub use amount::{AMOUNT_MINOR_MAX, Amount, Sum};
pub use code::{
    AgentCode, AgentKind, BranchCode, BranchKind, CODE_CHARS_MAX, Code, CodeKind, ProductCode, ProductKind, TeamCode,
    TeamKind, UNASSIGNED,
};
pub use currency::Currency;
pub use date::{BusinessDate, DayRange, DaySet};
pub use identity::{REFERENCE_BYTES_MAX, Reference, Revision, SaleId, SaleKey, Source, Version};
pub use period::{Calendar, Granularity, Period};
pub use text::{Name, TEXT_CHARS_MAX, Text};
