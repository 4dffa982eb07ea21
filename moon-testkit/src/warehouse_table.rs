//! The table of the behaviours of warehouses; see [`store_behaviour`](crate::store_behaviour).

/// Applies the whole suite of warehouses to a [`WarehouseFixture`](crate::WarehouseFixture): a `#[test]` for each behaviour,
/// in a module for each part.
#[macro_export]
macro_rules! warehouse_behaviour {
    ($fixture:ident) => {
        $crate::warehouse_behaviour! { $fixture,
            publishing: [
                an_empty_warehouse_shows_nothing,
                nothing_is_seen_before_it_is_published,
                a_discarded_or_dropped_stage_leaves_nothing,
                a_run_is_published_once,
                cells_vanish_within_the_scope_only,
                runs_without_cells_are_published_too,
                an_earlier_run_cannot_open,
                an_earlier_run_cannot_publish_after_a_later_one,
                what_breaks_the_law_is_refused,
                readers_see_one_run_as_a_whole,
                publishers_that_meet_wait_for_one_another,
            ],
            contents: [
                sums_are_those_of_the_days_asked_for,
                sums_are_exact_at_the_limits,
                sums_of_nothing_are_kept,
                names_and_targets_are_replaced,
                cells_that_do_not_belong_are_refused,
            ],
            reading: [
                cells_come_back_in_order,
                product_metrics_come_back,
                figures_of_agents_are_replaced_in_scope_only,
                rows_that_do_not_belong_are_refused,
                a_scope_may_have_gaps,
                cells_are_those_of_one_run,
            ],
            closing: [
                closing_freezes_what_its_run_publishes,
                periods_are_closed_side_by_side,
                closing_twice_keeps_the_first_freeze,
                a_reopened_period_keeps_its_figures,
                restatements_are_kept_in_order,
                restatements_that_do_not_belong_are_refused,
                a_repeat_closes_nothing_twice,
                a_refused_run_closes_nothing,
                periods_at_both_ends_of_time_are_closed,
            ],
            runs: [
                a_record_is_kept_in_full,
                a_manifest_is_kept,
                records_come_newest_first,
                a_published_record_stays,
                a_stopped_run_changes_no_figure,
                a_run_that_changes_nothing_needs_no_stage,
                a_run_that_changes_nothing_follows_the_one_it_was_compared_with,
            ],
            wording: [
                codes_and_names_are_kept_as_they_are,
                records_of_runs_keep_any_text,
            ],
        }
    };
    ($fixture:ident, $($part:ident: [$($behaviour:ident),* $(,)?]),* $(,)?) => {
        mod warehouse_behaviours {
            $(mod $part {
                $(#[test]
                fn $behaviour() {
                    $crate::run_on_warehouse::<super::super::$fixture, _>(
                        $crate::behaviours::warehouse::$part::$behaviour,
                    );
                })*
            })*
        }
    };
}
