//! A file's bytes, a block at a time.

use std::io::{ErrorKind, Read};

use moon_core::{Error, Result};

/// How much is read at once.
const BLOCK_BYTES: usize = 1 << 16;

/// The block that is being looked at, and how far.
#[derive(Debug)]
pub(super) struct Buffer<R> {
    input: R,
    block: Vec<u8>,
    at: usize,
    filled: usize,
    ended: bool,
    /// Taken before this block.
    taken: u64,
}

impl<R: Read> Buffer<R> {
    /// Reads the first block.
    ///
    /// # Errors
    /// `InvalidInput` when there is nothing, or nothing that could be text; those of reading.
    pub(super) fn open(input: R) -> Result<Self> {
        let block = vec![0; BLOCK_BYTES];
        let mut buffer = Self { input, block, at: 0, filled: 0, ended: false, taken: 0 };
        buffer.fill()?;
        if buffer.rest().is_empty() {
            return Err(Error::invalid("file is empty"));
        }
        if buffer.rest().contains(&0) {
            return Err(Error::invalid("file is binary or in UTF-16; a UTF-8 text is needed"));
        }
        Ok(buffer)
    }

    /// What of the block was not taken; empty only at the end of the file.
    ///
    /// # Errors
    /// `Unavailable` when the file cannot be read.
    pub(super) fn look(&mut self) -> Result<&[u8]> {
        if self.at == self.filled && !self.ended {
            self.fill()?;
        }
        Ok(self.rest())
    }

    /// What of the block was not taken.
    pub(super) fn rest(&self) -> &[u8] {
        self.block.get(self.at..self.filled).unwrap_or_default()
    }

    /// Takes bytes of the block.
    pub(super) fn take(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.filled);
    }

    /// How many bytes were taken in all.
    pub(super) fn bytes(&self) -> u64 {
        self.taken + u64::try_from(self.at).unwrap_or(0)
    }

    fn fill(&mut self) -> Result<()> {
        self.taken += u64::try_from(self.at).unwrap_or(0);
        (self.at, self.filled) = (0, 0);
        // A whole block, so that the first look sees what it can.
        while self.filled < self.block.len() {
            let Some(free) = self.block.get_mut(self.filled..) else { break };
            match self.input.read(free) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(count) => self.filled += count,
                Err(cause) if cause.kind() == ErrorKind::Interrupted => {}
                Err(cause) => return Err(unreadable(cause)),
            }
        }
        Ok(())
    }
}

fn unreadable(cause: std::io::Error) -> Error {
    Error::new(moon_core::ErrorKind::Backend, "file cannot be read").caused_by(cause)
}
