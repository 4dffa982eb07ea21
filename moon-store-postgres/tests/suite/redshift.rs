//! The suite of all warehouses for the dialect of Amazon Redshift, on a PostgreSQL server that was stripped of what Redshift
//! lacks, as far as that goes: no key is enforced, and the role that publishes may call neither advisory locks nor anything
//! that makes or opens arrays.

use std::sync::Arc;

use moon_core::Warehouse;
use moon_store_postgres::RedshiftWarehouse;
use moon_testkit::builders::currency;

/// Forbids what Redshift has not.
const FORBID: &str = "DO $$ DECLARE forbidden text; BEGIN
    FOR forbidden IN SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = 'pg_catalog' AND (p.proname LIKE 'pg_%advisory%' OR p.proname IN ('unnest', 'array_agg',
            'array_length', 'cardinality', 'array_to_string', 'string_to_array', 'generate_series', 'gen_random_uuid'))
    LOOP EXECUTE 'REVOKE EXECUTE ON FUNCTION ' || forbidden || ' FROM PUBLIC'; END LOOP; END $$";

/// Takes away every key.
const UNLOCK: &str = "DO $$ DECLARE c record; BEGIN
    FOR c IN SELECT conrelid::regclass AS t, conname FROM pg_constraint WHERE contype IN ('p', 'u', 'f', 'c')
        AND connamespace = 'public'::regnamespace
    LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.conname); END LOOP; END $$";

struct Redshift;

impl moon_testkit::WarehouseFixture for Redshift {
    type Guard = crate::support::Database;

    fn skipped() -> bool {
        crate::support::skipped()
    }

    async fn warehouse() -> (Arc<dyn Warehouse>, crate::support::Database) {
        let mut database = crate::support::Database::empty().await;
        let administrator = database.client().await;
        let role = database.role("redshift").await;
        administrator.batch_execute(FORBID).await.unwrap();
        administrator.batch_execute(&format!("GRANT CREATE, USAGE ON SCHEMA public TO {role}")).await.unwrap();
        let url = database.url_of(&role).replacen("postgres://", "redshift://", 1);
        let warehouse = RedshiftWarehouse::connect(&url, currency()).await.unwrap();
        warehouse.migrate().await.unwrap();
        administrator.batch_execute(UNLOCK).await.unwrap();
        warehouse.migrate().await.unwrap();
        (Arc::new(warehouse), database)
    }
}

moon_testkit::warehouse_behaviour!(Redshift);

/// The role that publishes in these tests really lacks what it should lack.
#[tokio::test]
async fn what_redshift_lacks_is_forbidden() {
    use moon_testkit::WarehouseFixture as _;
    if crate::support::skipped() {
        return;
    }
    let (_warehouse, database) = Redshift::warehouse().await;
    let role = database.role_name("redshift");
    let client = crate::support::connect(&database.url_of(&role)).await;
    for statement in ["SELECT unnest(ARRAY[1])", "SELECT pg_advisory_lock(1)", "SELECT array_agg(code) FROM teams"] {
        let error = client.batch_execute(statement).await.unwrap_err();
        assert_eq!(error.code().map(tokio_postgres::error::SqlState::code), Some("42501"), "{statement}: {error}");
    }
    client.batch_execute("INSERT INTO teams (code, name) VALUES ('A', 'a'), ('A', 'a')").await.unwrap();
}

/// Fails the first two times that a team is published, as Redshift does when transactions form a cycle. A sequence counts,
/// which no rollback takes back.
const REFUSE_TWICE: &str = "CREATE SEQUENCE refusals;
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
        IF nextval('refusals') <= 2 THEN
            RAISE EXCEPTION '1023' USING ERRCODE = 'XX000',
                DETAIL = 'Serializable isolation violation on table - 4252, transactions forming the cycle are: 1, 2';
        END IF;
        RETURN NEW; END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON teams FOR EACH ROW EXECUTE FUNCTION refuse()";

/// A transaction that is refused with error 1023 is repeated as a whole, and neither doubles nor loses.
#[tokio::test]
async fn error_1023_is_overcome() {
    use moon_testkit::WarehouseFixture as _;
    if crate::support::skipped() {
        return;
    }
    let (warehouse, database) = Redshift::warehouse().await;
    let administrator = database.client().await;
    administrator.batch_execute(REFUSE_TWICE).await.unwrap();
    crate::publishing::publish(warehouse.as_ref(), 1, &moon_core::Scope::full(), &[("2026-03-01", 7)]).await.unwrap();
    let attempts = administrator.query_one("SELECT last_value FROM refusals", &[]).await.unwrap();
    assert_eq!(attempts.get::<_, i64>(0), 3);
    let sums = warehouse.read(moon_core::DayRange::ALL).await.unwrap().sums;
    assert_eq!(sums.iter().map(|sum| sum.figures.net.minor).collect::<Vec<_>>(), [7; 3]);
}
