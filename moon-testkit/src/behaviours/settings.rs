//! What is fixed when a ledger is created.

use std::sync::Arc;

use moon_core::{Calendar, ErrorKind, FixedClock, Ledger, LedgerOptions, Result, Store, SystemIdGenerator};

use crate::builders::{noon, reading};

async fn open(store: &Arc<dyn Store>, options: &LedgerOptions) -> Result<Ledger> {
    let clock = Arc::new(FixedClock::new(noon("2026-06-15")));
    Ledger::open_with(Arc::clone(store), options, clock, Arc::new(SystemIdGenerator::default())).await
}

fn euros() -> LedgerOptions {
    LedgerOptions {
        currency: Some("EUR".parse().unwrap()),
        time_zone: Some("Europe/Berlin".parse().unwrap()),
        calendar: Some(Calendar::new(4).unwrap()),
    }
}

/// The first opening fixes the settings; later ones take what they leave open from the store.
pub async fn settings_are_fixed_when_the_ledger_is_created(store: Arc<dyn Store>) {
    let first = open(&store, &euros()).await.unwrap();
    let again = open(&store, &LedgerOptions::default()).await.unwrap();
    assert_eq!(again.settings(), first.settings());
    assert_eq!(Some(again.settings().currency), euros().currency);
    assert_eq!(again.settings().calendar.fiscal_year_start(), 4);
    assert_eq!(open(&store, &euros()).await.unwrap().settings(), first.settings());
    assert_eq!(reading(&store).await.records().list("settings").await.unwrap().len(), 1);
}

/// Another currency, time zone or calendar than the ledger's is refused, and leaves it as it is.
pub async fn other_settings_are_refused(store: Arc<dyn Store>) {
    let fixed = *open(&store, &euros()).await.unwrap().settings();
    let wishes = [
        LedgerOptions { currency: Some("LKR".parse().unwrap()), ..LedgerOptions::default() },
        LedgerOptions { currency: Some("USD".parse().unwrap()), ..euros() },
        LedgerOptions { time_zone: Some("Asia/Colombo".parse().unwrap()), ..LedgerOptions::default() },
        LedgerOptions { calendar: Some(Calendar::default()), ..euros() },
    ];
    for wish in wishes {
        let error = open(&store, &wish).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    }
    assert_eq!(*open(&store, &LedgerOptions::default()).await.unwrap().settings(), fixed);
}

/// Without wishes a new ledger is in rupees, in Colombo, with the civil year.
pub async fn a_ledger_without_wishes_has_the_defaults(store: Arc<dyn Store>) {
    let ledger = open(&store, &LedgerOptions::default()).await.unwrap();
    let settings = ledger.settings();
    assert_eq!(settings.currency.to_string(), "LKR");
    assert_eq!((settings.time_zone, settings.calendar), (chrono_tz::Asia::Colombo, Calendar::default()));
}

/// Several that create the ledger at once agree on one set of settings; who wishes for others is refused.
pub async fn ledgers_created_at_once_agree(store: Arc<dyn Store>) {
    let rupees = LedgerOptions { currency: Some("LKR".parse().unwrap()), ..LedgerOptions::default() };
    let euros = LedgerOptions { currency: Some("EUR".parse().unwrap()), ..LedgerOptions::default() };
    let (first, second, third) = tokio::join!(open(&store, &rupees), open(&store, &euros), open(&store, &rupees));
    let fixed = *open(&store, &LedgerOptions::default()).await.unwrap().settings();
    for (outcome, wish) in [(first, rupees), (second, euros), (third, rupees)] {
        match outcome {
            Ok(ledger) => assert_eq!(*ledger.settings(), fixed),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
                assert_ne!(wish.currency, Some(fixed.currency));
            }
        }
    }
}
