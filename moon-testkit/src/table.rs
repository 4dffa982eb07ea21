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
                a_failed_call_leaves_a_unit_that_rolls_back,
                a_call_given_up_half_way_leaves_nothing,
                a_writer_sees_what_the_one_before_committed,
                migrating_again_changes_nothing,
            ],
            masters: [
                rows_are_found_at_the_places_of_their_codes,
                a_code_is_created_once,
                an_update_names_the_version_that_it_has_seen,
                lists_ascend_byte_by_byte_in_pages,
                an_empty_list_ends_at_once,
                an_agent_is_kept_in_full,
                branches_and_products_are_kept_in_full,
            ],
            sales: [
                a_sale_is_kept_in_full,
                sales_are_found_at_the_places_of_their_keys,
                inserting_tells_which_keys_are_known,
                a_key_with_messages_only_is_known,
                sales_are_listed_by_date_and_identifier,
                sales_are_listed_by_each_part_of_a_query,
                writing_replaces_what_was_found,
                writing_tells_when_what_was_found_has_changed,
                messages_are_kept_in_full_and_in_order,
                a_revision_is_kept_once,
                entries_are_found_by_source_and_reference,
            ],
            organisation: [
                the_highest_version_of_an_assignment_is_current,
                a_version_of_an_assignment_is_entered_once,
                targets_are_kept_in_full,
                the_highest_version_of_a_target_is_current,
            ],
            documents: [
                a_record_is_kept_in_full,
                a_record_is_written_over_what_was_seen,
                a_record_is_removed_in_the_version_that_was_seen,
                a_namespace_lists_its_own_records,
            ],
            marks: [
                a_run_claims_every_mark_once,
                a_repeated_claim_adds_what_came_since,
                a_mark_beside_a_claimed_one_waits_for_the_next_run,
                counts_tell_what_waits,
                marks_follow_their_unit,
                audit_entries_keep_their_order,
            ],
            references: [
                a_sale_names_what_is_known,
                an_assignment_names_what_is_known,
                a_target_names_what_is_known,
            ],
            traps: [
                codes_are_compared_byte_by_byte,
                references_are_compared_byte_by_byte,
                texts_are_kept_as_they_are,
                instants_keep_their_microseconds,
                numbers_and_dates_are_kept_at_both_ends,
            ],
            ends: [
                assignments_hold_at_both_ends_of_time,
                targets_hold_at_both_ends_of_time,
            ],
            wording: [
                who_entered_a_target_is_kept,
                audit_entries_keep_any_text,
                records_keep_any_text,
            ],
            scans: [
                a_scan_yields_exactly_what_matches,
                a_scan_without_agents_yields_all_else,
                an_empty_store_has_no_postings,
                a_scan_looks_at_both_days_of_a_posting,
                a_long_scan_loses_nothing,
                a_scan_sees_the_units_own_writes,
                sums_of_the_store_equal_folded_ones,
                sums_beyond_64_bits_are_exact,
            ],
            golden: [
                example_a_late_assignment,
                example_a_in_every_order,
                example_b_cancel_and_reinstate,
                example_c_outcomes,
                example_c_in_every_order,
                example_e_a_month_with_everything,
            ],
            recording: [
                numbered_messages_take_their_places,
                messages_without_a_number_take_the_next,
                a_sale_that_is_told_once_is_never_corrected,
                one_call_tells_many_messages_of_a_sale,
                unknown_codes_are_rejected_row_by_row,
                places_are_given_or_derived,
                a_correction_derives_places_again,
                recording_in_a_lent_unit_is_for_the_lender_to_commit,
                calls_at_once_all_have_their_effect,
            ],
            life: [
                commands_have_their_full_effect_or_none,
                a_command_answers_with_the_sale,
                numbered_cancellations_stay_within_the_sale,
                cancellations_follow_a_corrected_content,
                life_before_content_is_kept_until_the_sale_comes,
                a_void_is_final,
                an_entry_is_taken_in_once,
                a_sale_of_nothing_counts,
            ],
            assigning: [
                a_late_assignment_moves_exactly_its_days,
                an_assignment_may_end_before_the_next_starts,
                an_assignment_is_corrected_by_version,
                a_wrong_assignment_refuses_the_call,
                one_call_enters_many_assignments,
                a_moved_sale_keeps_everything_else,
                a_late_assignment_moves_more_than_a_page,
                as_now_follows_the_last_assignment,
            ],
            bookkeeping: [
                a_change_marks_every_day_that_it_touches,
                what_changes_nothing_marks_nothing,
                what_is_taken_in_marks_its_source,
                names_mark_the_dimensions,
                consents_mark_themselves,
                every_call_leaves_one_audit_entry,
            ],
            entering: [
                create_refuses_what_is_there,
                ensure_leaves_and_replace_replaces,
                update_names_the_version_seen,
                the_rules_hold_for_all_master_data,
            ],
            targeting: [
                a_target_is_set_once_and_corrected_by_version,
                a_wrong_target_refuses_the_call,
                one_call_sets_many_targets,
                a_changed_target_is_marked,
            ],
            settings: [
                settings_are_fixed_when_the_ledger_is_created,
                other_settings_are_refused,
                a_ledger_without_wishes_has_the_defaults,
                ledgers_created_at_once_agree,
            ],
            faults: [
                recording_is_all_or_nothing,
                assigning_is_all_or_nothing,
                setting_targets_is_all_or_nothing,
                contention_is_overcome,
                endless_contention_is_told,
            ],
            together: [
                no_sale_slips_past_an_assignment,
                a_late_assignment_undoes_no_correction,
                calls_in_opposite_orders_do_not_hang,
                a_record_counted_up_at_once_loses_no_step,
                a_mark_that_commits_during_a_claim_is_not_lost,
                one_of_two_insertions_finds_the_sale_known,
            ],
        }
    };
    ($fixture:ident, $($part:ident: [$($behaviour:ident),* $(,)?]),* $(,)?) => {
        // A module of its own, so that the names of the parts meet no module of the caller's.
        mod store_behaviours {
            // These need a fresh store for each of their cases.
            mod model {
                #[test]
                fn random_histories_match_the_naive_ledger() {
                    $crate::model::random_histories_match_the_naive_ledger::<super::super::$fixture>();
                }
                #[test]
                fn every_order_of_arrival_ends_in_the_same_state() {
                    $crate::model::every_order_of_arrival_ends_in_the_same_state::<super::super::$fixture>();
                }
            }
            $(mod $part {
                $(#[test]
                fn $behaviour() {
                    $crate::run_on_store::<super::super::$fixture, _>($crate::behaviours::$part::$behaviour);
                })*
            })*
        }
    };
}
