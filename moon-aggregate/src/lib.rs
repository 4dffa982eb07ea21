//! The Moon batch job: one snapshot, all key figures, checked, published at once.
