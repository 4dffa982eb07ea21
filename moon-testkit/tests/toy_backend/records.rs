//! Marks, the audit trail and small documents.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use moon_core::{
    AuditEntry, AuditRepository, Expected, Mark, MarkCounts, MarkRepository, Page, PageRequest, Record, RecordKey,
    RecordRepository, Result, Version,
};
use uuid::Uuid;

use super::{ToyUnit, version_conflict};

#[async_trait]
impl MarkRepository for ToyUnit {
    async fn append(&mut self, marks: &[Mark], at: DateTime<Utc>) -> Result<()> {
        let state = self.writable()?;
        state.marks.extend(marks.iter().map(|mark| (mark.clone(), at, None)));
        Ok(())
    }

    async fn claim(&mut self, run: Uuid) -> Result<()> {
        for (_, _, claimed_by) in &mut self.writable()?.marks {
            claimed_by.get_or_insert(run);
        }
        Ok(())
    }

    async fn claimed(&mut self, run: Uuid) -> Result<Vec<Mark>> {
        let mut marks: Vec<_> =
            self.state.marks.iter().filter(|(_, _, by)| *by == Some(run)).map(|(mark, _, _)| mark.clone()).collect();
        marks.sort_unstable();
        marks.dedup();
        Ok(marks)
    }

    async fn open(&mut self) -> Result<Vec<Mark>> {
        let mut marks: Vec<_> =
            self.state.marks.iter().filter(|(_, _, by)| by.is_none()).map(|(mark, _, _)| mark.clone()).collect();
        marks.sort_unstable();
        marks.dedup();
        Ok(marks)
    }

    async fn settle(&mut self, run: Uuid) -> Result<()> {
        self.writable()?.marks.retain(|(_, _, claimed_by)| *claimed_by != Some(run));
        Ok(())
    }

    async fn counts(&mut self) -> Result<MarkCounts> {
        let claimed = self.state.marks.iter().filter(|(_, _, claimed_by)| claimed_by.is_some()).count();
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        Ok(MarkCounts {
            open: count(self.state.marks.len() - claimed),
            claimed: count(claimed),
            oldest: self.state.marks.iter().map(|(_, at, _)| *at).min(),
        })
    }
}

#[async_trait]
impl AuditRepository for ToyUnit {
    async fn append(&mut self, entry: &AuditEntry) -> Result<()> {
        self.writable()?.audit.push(entry.clone());
        Ok(())
    }

    async fn list(&mut self, request: &PageRequest) -> Result<Page<AuditEntry>> {
        let after = request.after.as_ref().map(moon_core::Cursor::sort_key).transpose()?;
        let start = after.and_then(|after| after.parse::<usize>().ok()).map_or(0, |last| last + 1);
        let wanted = usize::try_from(request.limit).unwrap_or(usize::MAX).saturating_add(1);
        let fetched: Vec<_> = self.state.audit.iter().cloned().enumerate().skip(start).take(wanted).collect();
        let page = Page::from_fetched(fetched, request.limit, |(place, _)| place.to_string());
        Ok(Page { items: page.items.into_iter().map(|(_, entry)| entry).collect(), next: page.next })
    }
}

#[async_trait]
impl RecordRepository for ToyUnit {
    async fn get(&mut self, key: &RecordKey) -> Result<Option<Record>> {
        Ok(self.state.records.get(key).cloned())
    }

    async fn put(&mut self, record: &Record, expected: Expected) -> Result<()> {
        let state = self.writable()?;
        let found = state.records.get(&record.key).map(|found| found.version);
        let wanted = match expected {
            Expected::Absent => None,
            Expected::Version(version) => Some(version),
        };
        if found != wanted {
            return Err(version_conflict("record"));
        }
        state.records.insert(record.key.clone(), record.clone());
        Ok(())
    }

    async fn delete(&mut self, key: &RecordKey, version: Version) -> Result<()> {
        let state = self.writable()?;
        if state.records.get(key).map(|found| found.version) != Some(version) {
            return Err(version_conflict("record"));
        }
        state.records.remove(key);
        Ok(())
    }

    async fn list(&mut self, namespace: &str) -> Result<Vec<Record>> {
        Ok(self.state.records.values().filter(|record| record.key.namespace == namespace).cloned().collect())
    }
}
