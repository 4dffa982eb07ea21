//! The life of a sale through the ledger: cancellations, reinstatements, voids, and the entries that carry them.

use std::sync::Arc;

use moon_core::{ErrorKind, Ledger, LifeMessage, PostingFilter, Reference, SaleContent, SaleKey, SaleMessage, Store};

use super::recording::record;
use crate::builders::{
    actor, cancel, cancel_part, content, content_message, key, life_message, opened, reading, reinstate, rupees,
};
use crate::postings::scan;

fn of(rupees_: i64) -> SaleContent {
    content("AGT001", "LIFE", "2026-02-10", rupees(rupees_))
}

/// Date, whole rupees and count of each posting that follows a sale.
async fn adjustments(ledger: &Ledger, reference: &str) -> Vec<(String, i64, i8)> {
    let sale = ledger.find_sale(&key(reference)).await.unwrap().unwrap();
    let told =
        sale.adjustments.iter().map(|posting| (posting.date.to_string(), posting.amount.minor() / 100, posting.count));
    told.collect()
}

fn told(rows: &[(&str, i64, i8)]) -> Vec<(String, i64, i8)> {
    rows.iter().map(|(date, rupees, count)| ((*date).to_owned(), *rupees, *count)).collect()
}

/// A command that cannot have its full effect is refused, and changes nothing.
pub async fn commands_have_their_full_effect_or_none(store: Arc<dyn Store>) {
    let ledger = opened(store).await;
    record(&ledger, &[content_message("S1", None, of(1_000))]).await;
    let steps = [
        (reinstate("2026-03-01"), Err(ErrorKind::Refused)),
        (cancel("2026-02-09"), Err(ErrorKind::InvalidInput)),
        (cancel_part("2026-03-01", rupees(1_001)), Err(ErrorKind::InvalidInput)),
        (cancel_part("2026-03-01", rupees(-1)), Err(ErrorKind::InvalidInput)),
        (cancel_part("2026-03-01", rupees(0)), Err(ErrorKind::InvalidInput)),
        (cancel_part("2026-03-01", rupees(300)), Ok(())),
        (cancel_part("2026-03-02", rupees(701)), Err(ErrorKind::InvalidInput)),
        (cancel("2026-03-03"), Ok(())),
        (cancel("2026-03-04"), Err(ErrorKind::Refused)),
        (reinstate("2026-02-09"), Err(ErrorKind::InvalidInput)),
        (reinstate("2026-03-05"), Ok(())),
        (reinstate("2026-03-06"), Err(ErrorKind::Refused)),
        (cancel("2026-02-10"), Ok(())),
    ];
    for (number, (command, expected)) in steps.into_iter().enumerate() {
        let outcome = ledger.change_life(&actor(), &key("S1"), command).await;
        assert_eq!(outcome.map(drop).map_err(|error| error.kind()), expected, "step {number}");
    }
    let expected =
        [("2026-03-01", -300, 0), ("2026-03-03", -700, -1), ("2026-03-05", 1_000, 1), ("2026-02-10", -1_000, -1)];
    assert_eq!(adjustments(&ledger, "S1").await, told(&expected));
}

/// A command answers with the sale as it then stands; one about an unknown sale is `NotFound`.
pub async fn a_command_answers_with_the_sale(store: Arc<dyn Store>) {
    let ledger = opened(store).await;
    record(&ledger, &[content_message("S1", Some(4), of(100))]).await;
    let sale = ledger.change_life(&actor(), &key("S1"), cancel("2026-03-01")).await.unwrap();
    assert_eq!((sale.revision.0, sale.last_revision.0, sale.adjustments.len()), (4, 5, 1));
    assert_eq!(ledger.find_sale(&key("S1")).await.unwrap(), Some(sale));
    let error = ledger.change_life(&actor(), &key("S2"), cancel("2026-03-01")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    // Nothing was kept for a sale that may come later.
    assert_eq!(record(&ledger, &[content_message("S2", None, of(100))]).await, ["recorded 0"]);
}

/// Numbered messages never take more than remains, nor lie before the sale; what finds nothing to do leaves no posting.
pub async fn numbered_cancellations_stay_within_the_sale(store: Arc<dyn Store>) {
    let ledger = opened(store).await;
    let negative = [
        content_message("S2", Some(0), of(-100)),
        life_message("S2", Some(1), cancel_part("2026-03-01", rupees(-40))),
        life_message("S2", Some(2), cancel_part("2026-03-02", rupees(30))),
        life_message("S2", Some(3), cancel("2026-03-03")),
    ];
    let messages = [
        content_message("S1", Some(0), of(1_000)),
        life_message("S1", Some(1), cancel_part("2026-01-01", rupees(700))),
        life_message("S1", Some(2), cancel_part("2026-03-02", rupees(700))),
        life_message("S1", Some(3), cancel("2026-03-03")),
        life_message("S1", Some(4), reinstate("2026-03-04")),
        life_message("S1", Some(5), reinstate("2026-03-05")),
    ];
    record(&ledger, &negative).await;
    record(&ledger, &messages).await;
    let expected = [("2026-02-10", -700, 0), ("2026-03-02", -300, -1), ("2026-03-04", 1_000, 1)];
    assert_eq!(adjustments(&ledger, "S1").await, told(&expected));
    assert_eq!(adjustments(&ledger, "S2").await, told(&[("2026-03-01", 40, 0), ("2026-03-03", 60, -1)]));
}

/// A corrected content draws its cancellations after it, in amount and in date.
pub async fn cancellations_follow_a_corrected_content(store: Arc<dyn Store>) {
    let ledger = opened(store).await;
    let part = life_message("S1", Some(1), cancel_part("2026-02-20", rupees(60)));
    record(&ledger, &[content_message("S1", Some(0), of(100)), part]).await;
    assert_eq!(adjustments(&ledger, "S1").await, told(&[("2026-02-20", -60, 0)]));
    let smaller = content("AGT001", "LIFE", "2026-02-25", rupees(50));
    record(&ledger, &[content_message("S1", Some(2), smaller)]).await;
    assert_eq!(adjustments(&ledger, "S1").await, told(&[("2026-02-25", -50, -1)]));
    record(&ledger, &[content_message("S1", Some(3), of(200))]).await;
    assert_eq!(adjustments(&ledger, "S1").await, told(&[("2026-02-20", -60, 0)]));
}

/// What is told of a sale before the sale is kept, in its order, and applied when the sale comes.
pub async fn life_before_content_is_kept_until_the_sale_comes(store: Arc<dyn Store>) {
    let ledger = opened(store).await;
    let early = [
        life_message("S1", Some(5), cancel_part("2026-04-01", rupees(30))),
        life_message("S1", Some(1), cancel("2026-02-20")),
        life_message("S1", Some(3), reinstate("2026-03-01")),
        life_message("S1", Some(1), cancel("2026-02-20")),
        life_message("S1", Some(1), cancel("2026-02-21")),
        life_message("S1", None, reinstate("2026-05-01")),
    ];
    let kept = ["kept 5", "kept 1", "kept 3", "duplicate", "conflict payload_conflict", "kept 6"];
    assert_eq!(record(&ledger, &early).await, kept);
    assert_eq!(ledger.find_sale(&key("S1")).await.unwrap(), None);
    assert_eq!(record(&ledger, &[content_message("S1", Some(0), of(100))]).await, ["recorded 0"]);
    let expected = [("2026-02-20", -100, -1), ("2026-03-01", 100, 1), ("2026-04-01", -30, 0), ("2026-05-01", 30, 0)];
    assert_eq!(adjustments(&ledger, "S1").await, told(&expected));
    let sale = ledger.find_sale(&key("S1")).await.unwrap().unwrap();
    assert_eq!((sale.revision.0, sale.last_revision.0), (0, 6));
    assert_eq!(record(&ledger, &[content_message("S1", None, of(90))]).await, ["corrected 7"]);
}

/// A void is final: it counts nowhere, whatever comes before or after; the history stays.
pub async fn a_void_is_final(store: Arc<dyn Store>) {
    let ledger = opened(Arc::clone(&store)).await;
    let messages = [
        content_message("S1", Some(0), of(100)),
        life_message("S1", Some(1), cancel("2026-03-01")),
        life_message("S1", Some(2), LifeMessage::Void),
        life_message("S1", Some(3), reinstate("2026-03-02")),
        content_message("S1", Some(4), of(200)),
        life_message("S2", Some(1), LifeMessage::Void),
        content_message("S2", Some(2), of(100)),
    ];
    let outcomes = ["recorded 0", "applied 1", "applied 2", "applied 3", "corrected 4", "kept 1", "recorded 2"];
    assert_eq!(record(&ledger, &messages).await, outcomes);
    for command in [LifeMessage::Void, cancel("2026-04-01"), reinstate("2026-04-01")] {
        for sale in ["S1", "S2"] {
            let error = ledger.change_life(&actor(), &key(sale), command.clone()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
        }
    }
    let sale = ledger.find_sale(&key("S1")).await.unwrap().unwrap();
    assert!(sale.voided && sale.adjustments.is_empty() && sale.content == of(200));
    assert_eq!(ledger.sale_history(sale.id).await.unwrap().unwrap().messages.len(), 5);
    assert_eq!(scan(reading(&store).await.as_mut(), &PostingFilter::default()).await.0, []);
}

/// A life message with the source's own reference of its entry is taken in once: a repeat is a duplicate, another payload or
/// another sale under the same entry a conflict. Entries of other sources have nothing to do with it.
pub async fn an_entry_is_taken_in_once(store: Arc<dyn Store>) {
    let ledger = opened(store).await;
    let named = |sale: &str, entry: &str, rupees_: i64| SaleMessage {
        entry: Some(Reference::new("entry", entry).unwrap()),
        ..life_message(sale, None, cancel_part("2026-03-01", rupees(rupees_)))
    };
    let foreign = |entry: &str| {
        let key = SaleKey::new("other", "S1").unwrap();
        [
            SaleMessage { key: key.clone(), ..content_message("S1", None, of(100)) },
            SaleMessage { key, ..named("S1", entry, 10) },
        ]
    };
    record(&ledger, &[content_message("S1", None, of(100)), content_message("S2", None, of(100))]).await;
    let messages = [named("S1", "E1", 10), named("S1", "E1", 10), named("S1", "e1", 10), named("S2", "E2", 20)];
    assert_eq!(record(&ledger, &messages).await, ["applied 1", "duplicate", "applied 2", "applied 1"]);
    let messages = [named("S1", "E1", 10), named("S1", "E1", 11), named("S2", "E1", 10), named("S3", "E2", 20)];
    let conflict = "conflict payload_conflict";
    assert_eq!(record(&ledger, &messages).await, ["duplicate", conflict, conflict, conflict]);
    assert_eq!(record(&ledger, &foreign("E1")).await, ["recorded 0", "applied 1"]);
    // An entry may come before its sale.
    assert_eq!(record(&ledger, &[named("S4", "E4", 30)]).await, ["kept 0"]);
    assert_eq!(
        record(&ledger, &[named("S4", "E4", 30), content_message("S4", None, of(100))]).await,
        ["duplicate", "recorded 1"]
    );
    assert_eq!(adjustments(&ledger, "S1").await, told(&[("2026-03-01", -10, 0), ("2026-03-01", -10, 0)]));
    assert_eq!(adjustments(&ledger, "S4").await, told(&[("2026-03-01", -30, 0)]));
}

/// A sale of nothing counts as one until it is cancelled.
pub async fn a_sale_of_nothing_counts(store: Arc<dyn Store>) {
    let ledger = opened(store).await;
    record(&ledger, &[content_message("S1", None, of(0))]).await;
    ledger.change_life(&actor(), &key("S1"), cancel("2026-03-01")).await.unwrap();
    ledger.change_life(&actor(), &key("S1"), reinstate("2026-03-02")).await.unwrap();
    assert_eq!(adjustments(&ledger, "S1").await, told(&[("2026-03-01", 0, -1), ("2026-03-02", 0, 1)]));
}
