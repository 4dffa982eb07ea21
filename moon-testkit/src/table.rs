//! The tables: every behaviour once, each a test of its own for every backend.

/// Applies the whole suite of stores to a [`StoreFixture`](crate::StoreFixture): a `#[test]` for each behaviour, in a module for
/// each part.
#[macro_export]
macro_rules! store_behaviour {
    ($fixture:ident) => {
        $crate::store_behaviour! { $fixture,
            units: [
                a_commit_is_visible_to_later_units,
                a_rollback_leaves_nothing,
                a_dropped_unit_leaves_nothing,
                a_read_only_unit_sees_one_snapshot,
                a_read_only_unit_cannot_write,
            ],
        }
    };
    ($fixture:ident, $($part:ident: [$($behaviour:ident),* $(,)?]),* $(,)?) => {
        $(mod $part {
            $(#[test]
            fn $behaviour() {
                $crate::run_on_store::<super::$fixture, _>($crate::behaviours::$part::$behaviour);
            })*
        })*
    };
}
