//! The codes behind dictionary indices.

use std::collections::HashMap;
use std::sync::Arc;

use crate::{Code, CodeKind, Dimension, Error, ErrorKind, NewCodes, Result, UNASSIGNED};

/// The codes of one dimension in the order of their indices; index 0 is [`UNASSIGNED`].
#[derive(Debug, Clone)]
pub(super) struct Dictionary {
    codes: Vec<Arc<str>>,
    indices: HashMap<Arc<str>, u32>,
    /// How many of them the scan brought. Those that only a merged fold knew lie behind, and a scan that went on would
    /// give their indices to other codes.
    scanned: usize,
}

impl Dictionary {
    pub(super) fn new() -> Self {
        let unassigned: Arc<str> = UNASSIGNED.into();
        Self { codes: vec![Arc::clone(&unassigned)], indices: HashMap::from([(unassigned, 0)]), scanned: 1 }
    }

    /// Takes the next codes of the scan.
    pub(super) fn learn<K: CodeKind>(&mut self, codes: &[Code<K>]) -> Result<()> {
        for code in codes {
            if self.scanned != self.codes.len() {
                return Err(Error::new(
                    ErrorKind::Refused,
                    "fold that was merged with another scan takes no new codes",
                )
                .with(K::NOUN, code));
            }
            let known = self.codes.len();
            if usize::try_from(self.intern(&Arc::from(code.as_str()))?) != Ok(known) {
                return Err(
                    Error::new(ErrorKind::Corrupt, "scan brings a code for the second time").with(K::NOUN, code)
                );
            }
            self.scanned += 1;
        }
        Ok(())
    }

    /// The index of a code, which is the next free one for an unknown code.
    pub(super) fn intern(&mut self, code: &Arc<str>) -> Result<u32> {
        if let Some(index) = self.indices.get(code) {
            return Ok(*index);
        }
        let index = u32::try_from(self.codes.len())
            .map_err(|cause| Error::new(ErrorKind::Refused, "scan has too many codes").caused_by(cause))?;
        self.indices.insert(Arc::clone(code), index);
        self.codes.push(Arc::clone(code));
        Ok(index)
    }

    /// The codes in the order of their indices.
    pub(super) fn codes(&self) -> &[Arc<str>] {
        &self.codes
    }

    /// How many indices batches may use.
    pub(super) fn scanned(&self) -> usize {
        self.scanned
    }

    /// The indices with their codes, ascending by code.
    pub(super) fn ascending(&self) -> Vec<(u32, &Arc<str>)> {
        let mut ascending: Vec<_> = (0_u32..).zip(&self.codes).collect();
        ascending.sort_unstable_by_key(|(_, code)| *code);
        ascending
    }
}

/// The dictionaries of a scan.
#[derive(Debug, Clone)]
pub(super) struct Dictionaries {
    teams: Dictionary,
    branches: Dictionary,
    products: Dictionary,
    agents: Dictionary,
}

impl Dictionaries {
    pub(super) fn new() -> Self {
        let empty = Dictionary::new();
        Self { teams: empty.clone(), branches: empty.clone(), products: empty.clone(), agents: empty }
    }

    pub(super) fn learn(&mut self, new_codes: &NewCodes) -> Result<()> {
        self.teams.learn(&new_codes.teams)?;
        self.branches.learn(&new_codes.branches)?;
        self.products.learn(&new_codes.products)?;
        self.agents.learn(&new_codes.agents)
    }

    pub(super) fn of(&self, dimension: Dimension) -> &Dictionary {
        match dimension {
            Dimension::Team => &self.teams,
            Dimension::Branch => &self.branches,
            Dimension::Product => &self.products,
            Dimension::Agent => &self.agents,
        }
    }

    pub(super) fn of_mut(&mut self, dimension: Dimension) -> &mut Dictionary {
        match dimension {
            Dimension::Team => &mut self.teams,
            Dimension::Branch => &mut self.branches,
            Dimension::Product => &mut self.products,
            Dimension::Agent => &mut self.agents,
        }
    }
}
