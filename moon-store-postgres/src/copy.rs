//! Rows in the binary form of COPY. See <https://www.postgresql.org/docs/current/sql-copy.html>.

use bytes::{BufMut as _, Bytes, BytesMut};
use moon_core::{Currency, Error, Result};

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

    /// NUMERIC with four decimals: so many units of the last one that a currency has.
    pub(crate) fn numeric(&mut self, minor: i128, currency: Currency) -> Result<()> {
        let decimals = u32::from(4_u8.saturating_sub(currency.digits()));
        let units = minor.checked_mul(10_i128.pow(decimals)).ok_or_else(|| Error::invalid("amount is too large"))?;
        // Four digits a piece, the fraction first.
        let mut pieces = [0_i16; 10];
        let mut used = 0_u8;
        let mut rest = units.unsigned_abs();
        for piece in &mut pieces {
            if rest == 0 {
                break;
            }
            // Most amounts fit into 64 bits, where dividing takes a tenth of the time.
            let (next, digits) = match u64::try_from(rest) {
                Ok(rest) => (u128::from(rest / 10_000), u128::from(rest % 10_000)),
                Err(_) => (rest / 10_000, rest % 10_000),
            };
            (*piece, rest) = (i16::try_from(digits).unwrap_or(0), next);
            used += 1;
        }
        let count = i16::from(used);
        self.0.put_i32(8 + 2 * i32::from(count));
        self.0.put_i16(count);
        // The first piece stands for this power of 10,000.
        self.0.put_i16(if used == 0 { 0 } else { count - 2 });
        self.0.put_u16(if units < 0 { 0x4000 } else { 0 });
        self.0.put_i16(4);
        for piece in pieces.iter().take(used.into()).rev() {
            self.0.put_i16(*piece);
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_pieces_of_four_digits() {
        let encoded = |minor: i128, code: &str| {
            let mut rows = CopyRows(BytesMut::new());
            rows.numeric(minor, code.parse().unwrap()).unwrap();
            let numbers: Vec<u16> =
                rows.0.get(4..).unwrap().chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
            numbers
        };
        assert_eq!(encoded(0, "LKR"), [0, 0, 0, 4]);
        assert_eq!(encoded(5, "LKR"), [1, 0xFFFF, 0, 4, 500]);
        assert_eq!(encoded(-123_456_789, "LKR"), [3, 1, 0x4000, 4, 123, 4_567, 8_900]);
        assert_eq!(encoded(7, "JPY"), [2, 0, 0, 4, 7, 0]);
        assert_eq!(encoded(10_i128.pow(36) + 1, "LKR").len(), 4 + 10);
        assert!(CopyRows(BytesMut::new()).numeric(i128::MAX, "LKR".parse().unwrap()).is_err());
    }
}
