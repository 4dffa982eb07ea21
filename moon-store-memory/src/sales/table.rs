//! The table of sales: chunks in order, and where each sale is.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use moon_core::{Error, ErrorKind, Result, SaleId, SaleKey, Source};

use super::chunk::{CHUNK_SALES_MAX, Chunk, ChunkHead};
use super::row::{Row, RowKey};
use crate::tree::Tree;

/// See the module.
#[derive(Debug, Clone, Default)]
pub(crate) struct SaleTable {
    /// By a key that none of the chunk's sales lies below. Once there is a sale, a chunk stands at [`RowKey::LOWEST`].
    chunks: Tree<RowKey, ChunkHead>,
    /// The day of each sale, by the hash of its key and its identifier. The key itself is in the chunk: numbers take
    /// less room than texts and are found faster, and the few that share a hash are told apart there.
    by_key: Tree<(u64, SaleId), i32>,
    /// The day of each sale.
    by_id: Tree<SaleId, i32>,
    sources: Tree<Source, u32>,
    source_names: Tree<u32, Source>,
}

impl SaleTable {
    /// How many sales there are, voided ones among them.
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// The chunks in order.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = &ChunkHead> + Send {
        self.chunks.iter().map(|(_, head)| head)
    }

    /// The chunks in order, from the one in which a sale of this key would lie.
    pub(crate) fn chunks_from(&self, key: RowKey) -> impl Iterator<Item = &ChunkHead> {
        let start = self.chunks.floor(&key).map_or(RowKey::LOWEST, |(first, _)| *first);
        self.chunks.starting_at(&start).map(|(_, head)| head)
    }

    /// The name of a source by its number.
    pub(crate) fn source(&self, number: u32) -> Option<Source> {
        self.source_names.get(&number).cloned()
    }

    /// The number of a source, new if it was not known.
    ///
    /// # Errors
    /// `Backend` when the numbers are used up.
    pub(crate) fn source_number(&mut self, source: &Source) -> Result<u32> {
        if let Some(number) = self.sources.get(source) {
            return Ok(*number);
        }
        let number = u32::try_from(self.sources.len())
            .map_err(|_| Error::new(ErrorKind::Backend, "dictionary is full").with("kind", "source"))?;
        self.sources.insert(source.clone(), number);
        self.source_names.insert(number, source.clone());
        Ok(number)
    }

    /// Where the sale of a key lies.
    pub(crate) fn find(&self, key: &SaleKey) -> Option<RowKey> {
        let source = *self.sources.get(&key.source)?;
        let hash = hash(source, key.reference.as_str());
        let candidates = self.by_key.starting_at(&(hash, SaleId(uuid::Uuid::nil())));
        candidates.take_while(|((known, _), _)| *known == hash).find_map(|((_, id), day)| {
            let row = RowKey { day: *day, id: *id };
            let (chunk, at) = self.locate(row)?;
            let same = chunk.details.get(at).is_some_and(|detail| detail.source == source)
                && chunk.reference(at) == Some(key.reference.as_str());
            same.then_some(row)
        })
    }

    /// Where the sale of an identifier lies.
    pub(crate) fn find_id(&self, id: SaleId) -> Option<RowKey> {
        self.by_id.get(&id).map(|day| RowKey { day: *day, id })
    }

    /// Reads a sale.
    ///
    /// # Errors
    /// `Corrupt` when there is none.
    pub(crate) fn row(&self, key: RowKey) -> Result<Row> {
        let (chunk, at) = self.locate(key).ok_or_else(|| missing(key))?;
        chunk.row(at)
    }

    /// Puts a sale whose key and identifier are unknown.
    ///
    /// # Errors
    /// `Corrupt` when they are not.
    pub(crate) fn insert(&mut self, row: &Row) -> Result<()> {
        if self.chunks.is_empty() {
            self.chunks.insert(RowKey::LOWEST, ChunkHead::new(Arc::default()));
        }
        let first = self.chunks.floor(&row.key).map_or(RowKey::LOWEST, |(first, _)| *first);
        let head = self.chunks.get_mut(&first).ok_or_else(|| missing(row.key))?;
        let full = head.chunk.len() >= CHUNK_SALES_MAX;
        let behind =
            head.chunk.len().checked_sub(1).and_then(|last| head.chunk.key(last)).is_some_and(|last| last < row.key);
        if full && behind {
            // What arrives in order of date leaves full chunks behind.
            let mut next = Chunk::default();
            next.insert(row)?;
            self.chunks.insert(row.key, ChunkHead::new(Arc::new(next)));
        } else {
            let chunk = head.chunk_mut();
            chunk.insert(row)?;
            let right = if full { Some(chunk.split_off(chunk.len() / 2)?) } else { None };
            head.refresh();
            if let Some((first, right)) = right.and_then(|right| right.key(0).map(|first| (first, right))) {
                self.chunks.insert(first, ChunkHead::new(Arc::new(right)));
            }
        }
        self.by_key.insert((hash(row.detail.source, row.reference.as_str()), row.key.id), row.key.day);
        self.by_id.insert(row.key.id, row.key.day);
        Ok(())
    }

    /// Puts a sale in the place of the one with its identifier and key, which lies at `before`.
    ///
    /// # Errors
    /// `Corrupt` when there is none.
    pub(crate) fn replace(&mut self, before: RowKey, row: &Row) -> Result<()> {
        let first = self.chunks.floor(&before).map(|(first, _)| *first).ok_or_else(|| missing(before))?;
        let head = self.chunks.get_mut(&first).ok_or_else(|| missing(before))?;
        let at = head.chunk.place(before).map_err(|_| missing(before))?;
        let chunk = head.chunk_mut();
        chunk.remove(at);
        chunk.tidy()?;
        head.refresh();
        // The lowest chunk stays, so that every sale has a chunk to lie in.
        if head.chunk.len() == 0 && first != RowKey::LOWEST {
            self.chunks.remove(&first);
        }
        self.insert(row)
    }

    /// Whether a chunk is one and the same here and there.
    #[cfg(test)]
    pub(crate) fn shared_chunks(&self, other: &Self) -> usize {
        self.chunks().filter(|head| other.chunks().any(|known| Arc::ptr_eq(&head.chunk, &known.chunk))).count()
    }

    fn locate(&self, key: RowKey) -> Option<(&Chunk, usize)> {
        let (_, head) = self.chunks.floor(&key)?;
        head.chunk.place(key).ok().map(|at| (&*head.chunk, at))
    }
}

fn missing(key: RowKey) -> Error {
    Error::new(ErrorKind::Corrupt, "sale is not where it should be").with("id", key.id)
}

fn hash(source: u32, reference: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (source, reference).hash(&mut hasher);
    hasher.finish()
}
