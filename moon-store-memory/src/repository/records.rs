//! Small documents.

use std::sync::Arc;

use async_trait::async_trait;
use moon_core::{Error, ErrorKind, Expected, Record, RecordKey, RecordRepository, Result, Version};

use crate::state::State;
use crate::store::MemoryUnit;

#[async_trait]
impl RecordRepository for MemoryUnit {
    async fn get(&mut self, key: &RecordKey) -> Result<Option<Record>> {
        Ok(self.state().records.get(key).map(|record| Record::clone(record)))
    }

    async fn put(&mut self, record: &Record, expected: Expected) -> Result<()> {
        let state = self.state_mut()?;
        let expected = match expected {
            Expected::Absent => None,
            Expected::Version(version) => Some(version),
        };
        check_version(state, &record.key, expected)?;
        state.records.insert(record.key.clone(), Arc::new(record.clone()));
        Ok(())
    }

    async fn delete(&mut self, key: &RecordKey, version: Version) -> Result<()> {
        let state = self.state_mut()?;
        check_version(state, key, Some(version))?;
        state.records.remove(key);
        Ok(())
    }

    async fn list(&mut self, namespace: &str) -> Result<Vec<Record>> {
        let records = self.state().records.starting_at(&RecordKey::new(namespace, ""));
        let records = records.take_while(|(key, _)| key.namespace == namespace);
        Ok(records.map(|(_, record)| Record::clone(record)).collect())
    }
}

fn check_version(state: &State, key: &RecordKey, expected: Option<Version>) -> Result<()> {
    let stored = state.records.get(key).map(|record| record.version);
    if stored == expected {
        return Ok(());
    }
    let shown = |version: Option<Version>| version.map_or_else(|| "none".to_owned(), |version| version.to_string());
    Err(Error::new(ErrorKind::VersionConflict, "record is not as expected")
        .with("namespace", &key.namespace)
        .with("key", &key.key)
        .with("expected", shown(expected))
        .with("stored", shown(stored)))
}
