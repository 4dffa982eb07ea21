//! How things stand.

use chrono::TimeDelta;
use moon_aggregate::RunCommand;
use moon_core::{Calendar, Clock as _, MarkCounts};

use crate::common::{day, fixtures, sale};

#[tokio::test]
async fn what_ran_and_what_waits() {
    for fixture in fixtures().await {
        let fixture = fixture.filled().await;
        let status = fixture.aggregation().status(5).await.unwrap();
        assert_eq!((status.published.as_ref(), status.age()), (None, None), "{}", fixture.backend);
        assert!(status.marks.open > 0 && status.runs.is_empty() && status.lease.is_none());

        let march = Calendar::default().parse("2026-03").unwrap();
        let first = fixture.run().await.unwrap().record;
        let closing = fixture.run_as(&RunCommand { close: vec![march], ..RunCommand::default() }).await.unwrap().record;
        fixture.clock.set(fixture.clock.now() + TimeDelta::hours(2));
        let status = fixture.aggregation().status(5).await.unwrap();
        assert_eq!(status.runs, [closing.clone(), first.clone()], "{}", fixture.backend);
        assert_eq!((status.behind(), status.age()), (TimeDelta::zero(), Some(TimeDelta::hours(2))));
        assert_eq!(status.marks, MarkCounts::default());
        assert_eq!(status.closings.len(), 1);
        assert_eq!(fixture.aggregation().status(1).await.unwrap().runs, std::slice::from_ref(&closing));

        // A run that dies leaves its lease, its marks and its key.
        fixture.record(&[sale("7", None, "Junior", 5, "2026-03-02")]).await;
        fixture.clock.set(fixture.clock.now() + TimeDelta::minutes(1));
        fixture.die(false).await;
        fixture.clock.set(fixture.clock.now() + TimeDelta::minutes(1));
        let status = fixture.aggregation().status(5).await.unwrap();
        assert_eq!(status.published, Some(closing), "{}", fixture.backend);
        assert_eq!((status.marks.open, status.behind()), (0, TimeDelta::minutes(2)));
        assert!(status.marks.claimed > 0);
        assert_eq!(status.days, day("2026-03-02").range().into());
        let unfinished = status.unfinished.unwrap();
        assert!(unfinished.attempts >= 1 && unfinished.key.number == first.key.number + 2, "{unfinished:?}");

        fixture.wait();
        fixture.run().await.unwrap();
        let status = fixture.aggregation().status(5).await.unwrap();
        assert_eq!((status.unfinished, status.lease, status.marks), (None, None, MarkCounts::default()));
        assert!(status.days.is_empty());
    }
}
