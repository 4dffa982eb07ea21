//! Sales as columns: in chunks, in the order of business date and identifier.

mod chunk;
mod row;
mod table;
mod text;

pub(crate) use chunk::{Chunk, ChunkHead};
pub(crate) use row::{Row, RowKey};
pub(crate) use table::SaleTable;
