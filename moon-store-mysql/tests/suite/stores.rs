//! The suite of all stores, on a database of its own for each test.

use std::sync::Arc;

use moon_core::Store;
use moon_store_mysql::{MysqlOptions, MysqlStore};

struct Mysql;

impl moon_testkit::StoreFixture for Mysql {
    type Guard = crate::support::Database;

    fn skipped() -> bool {
        crate::support::skipped()
    }

    async fn store() -> (Arc<dyn Store>, crate::support::Database) {
        let database = crate::support::Database::empty().await;
        let store = database.store().await;
        store.migrate().await.unwrap();
        (Arc::new(store), database)
    }
}

moon_testkit::store_behaviour!(Mysql);

/// How MySQL is written to, also where the server of the tests is MariaDB.
#[tokio::test]
async fn rows_that_do_not_go_in_bulk_go_in_as_well() {
    use moon_testkit::behaviours::{recording, references, sales, together, traps};
    if crate::support::skipped() {
        return;
    }
    macro_rules! on_a_store_of_its_own {
        ($($behaviour:path),* $(,)?) => {
            $({
                let database = crate::support::Database::migrated().await;
                let options = MysqlOptions::default().bulk(false);
                let store = MysqlStore::connect_with(&database.url(), &options).await.unwrap();
                $behaviour(Arc::new(store)).await;
            })*
        };
    }
    on_a_store_of_its_own!(
        sales::inserting_tells_which_keys_are_known,
        sales::a_key_with_messages_only_is_known,
        sales::a_sale_is_kept_in_full,
        traps::references_are_compared_byte_by_byte,
        traps::numbers_and_dates_are_kept_at_both_ends,
        references::a_sale_names_what_is_known,
        recording::one_call_tells_many_messages_of_a_sale,
        recording::calls_at_once_all_have_their_effect,
        together::one_of_two_insertions_finds_the_sale_known,
    );
}
