//! Rows in the binary form of COPY. See <https://www.postgresql.org/docs/current/sql-copy.html>.

use bytes::{BufMut as _, Bytes, BytesMut};
use moon_core::{Error, Result};

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

/// Rows that wait to be sent. Each begins with [`row`](Self::row) and has as many values as that says.
#[derive(Debug)]
pub(crate) struct CopyRows(BytesMut);

impl CopyRows {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        let mut buffer = BytesMut::with_capacity(bytes + 32);
        buffer.put_slice(SIGNATURE);
        // No flags, no extension.
        buffer.put_i64(0);
        Self(buffer)
    }

    pub(crate) fn row(&mut self, values: i16) {
        self.0.put_i16(values);
    }

    pub(crate) fn null(&mut self) {
        self.0.put_i32(-1);
    }

    pub(crate) fn int2(&mut self, value: i16) {
        self.0.put_i32(2);
        self.0.put_i16(value);
    }

    /// INTEGER and DATE.
    pub(crate) fn int4(&mut self, value: i32) {
        self.0.put_i32(4);
        self.0.put_i32(value);
    }

    pub(crate) fn optional_int4(&mut self, value: Option<i32>) {
        match value {
            Some(value) => self.int4(value),
            None => self.null(),
        }
    }

    /// BIGINT and TIMESTAMPTZ.
    pub(crate) fn int8(&mut self, value: i64) {
        self.0.put_i32(8);
        self.0.put_i64(value);
    }

    /// TEXT and UUID.
    pub(crate) fn bytes(&mut self, value: &[u8]) -> Result<()> {
        let length = i32::try_from(value.len()).map_err(|_| Error::invalid("text is too long to be stored"))?;
        self.0.put_i32(length);
        self.0.put_slice(value);
        Ok(())
    }

    /// Ends the rows.
    pub(crate) fn finish(mut self) -> Bytes {
        self.0.put_i16(-1);
        self.0.freeze()
    }
}
