//! One suite that every adapter passes: each sentence of the contracts in [`port`](crate::port).
//!
//! An adapter's test file is a harness and one line:
//! ```ignore
//! async fn harness() -> storage::conformance::Harness { ... }
//! storage::conformance_tests!(harness);
//! ```
//! which gives one test for each case, in the modules `queue`, `table` and `blobs`. Table and blob
//! cases use keys of their own and may share a store, at the same time too. A queue case takes
//! whatever it finds in the four queues, so one store runs one of them at a time; a runner that
//! starts a process for each test needs a group for `queue::`. Never run on a store in use.
#![expect(
    clippy::unwrap_used,
    reason = "tests, though they stand here so that others can run them"
)]

/// Like `assert!(matches!(..))` for an error, but tells what came instead.
macro_rules! assert_error {
    ($result:expr, $pattern:pat) => {
        match $result {
            Err($pattern) => {}
            other => panic!("expected {}, got {other:?}", stringify!($pattern)),
        }
    };
}

mod blob_append;
mod blob_content;
mod blob_list;
mod harness;
mod queue_lease;
mod queue_send;
mod queue_wait;
mod table_keys;
mod table_query;
mod table_race;
mod table_values;
mod table_write;

pub use harness::Harness;

/// The one list of cases, handed to another macro. A case that is missing here is dead code, and
/// the compiler says so.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_cases {
    ($callback:path, $($args:tt)*) => {
        $callback! {
            ($($args)*)
            queue {
                queue_send::bodies_come_back_unchanged,
                queue_send::illegal_messages_are_refused,
                queue_send::delayed_messages_come_later,
                queue_send::peek_takes_nothing,
                queue_send::messages_are_counted,
                queue_send::queues_are_apart,
                queue_send::receive_gives_at_most_max,
                queue_send::concurrent_receivers_share_the_messages,
                queue_lease::leased_messages_are_hidden,
                queue_lease::expired_leases_end_with_the_next_receive,
                queue_lease::extending_gives_a_new_receipt,
                queue_lease::extending_to_zero_shows_the_message,
                queue_lease::extending_can_replace_the_body,
                queue_lease::deleted_messages_are_gone,
                queue_wait::waiting_ends_in_time,
                queue_wait::sends_wake_all_who_wait,
                queue_wait::sends_before_the_wait_are_not_missed,
                queue_wait::due_messages_wake,
            }
            table {
                table_write::insert_creates_only,
                table_write::update_needs_the_version,
                table_write::upsert_replaces_the_whole_row,
                table_write::delete_with_and_without_version,
                table_write::transactions_are_all_or_none,
                table_write::transactions_have_bounds,
                table_write::versions_never_repeat,
                table_write::writes_are_seen_by_later_reads,
                table_values::values_come_back_unchanged,
                table_values::null_means_absent,
                table_values::illegal_values_are_refused,
                table_values::values_at_the_limit_are_taken,
                table_keys::odd_keys_are_only_data,
                table_keys::illegal_keys_are_refused,
                table_keys::tables_and_partitions_are_apart,
                table_query::ranges_are_half_open_and_ordered,
                table_query::pages_go_on_to_the_end,
                table_query::large_pages_go_on_to_the_end,
                table_query::illegal_queries_are_refused,
                table_query::dates_do_not_go_back,
                table_race::one_of_many_updates_wins,
                table_race::one_of_many_inserts_wins,
                table_race::counting_together_loses_nothing,
            }
            blobs {
                blob_content::content_and_labels_come_back,
                blob_content::create_only_keeps_what_is_there,
                blob_content::one_of_many_creates_wins,
                blob_content::overwriting_replaces_all,
                blob_content::readers_see_whole_blobs,
                blob_content::ranges_are_cut_at_the_end,
                blob_content::deleting_is_idempotent,
                blob_content::large_blobs_are_taken,
                blob_content::illegal_puts_are_refused,
                blob_content::versions_never_repeat,
                blob_content::signed_urls,
                blob_append::appends_add_to_the_end,
                blob_append::concurrent_appends_do_not_interleave,
                blob_append::appends_and_puts_do_not_mix,
                blob_append::large_appends_are_refused,
                blob_list::listings_follow_the_prefix,
                blob_list::pages_go_on_to_the_end,
                blob_list::illegal_listings_are_refused,
                blob_list::odd_paths_are_only_data,
            }
        }
    };
}

/// Makes each case public by its name: `conformance::run::queue::queue_send::...`.
macro_rules! publish {
    (() $($group:ident { $($file:ident::$name:ident,)* })*) => {
        /// What [`conformance_tests`](crate::conformance_tests) calls.
        #[doc(hidden)]
        #[allow(missing_docs, reason = "the names say it")]
        pub mod run {
            $(pub mod $group {
                $(pub async fn $name(harness: crate::conformance::Harness) {
                    crate::conformance::$file::$name(&harness).await;
                })*
            })*
        }
    };
}

conformance_cases!(publish,);

/// One `#[tokio::test]` for each case, on the storage that an `async fn() -> Harness` gives.
#[macro_export]
macro_rules! conformance_tests {
    ($harness:path) => {
        $crate::conformance_cases!($crate::conformance_test_modules, $harness);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! conformance_test_modules {
    (($harness:path) $($group:ident { $($file:ident::$name:ident,)* })*) => {
        $(mod $group {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $crate::conformance::run::$group::$name($harness().await).await;
            })*
        })*
    };
}
