//! Things that are known by a code: teams, branches, agents, products.

use std::sync::Arc;

use moon_core::{Code, CodeKind, Error, ErrorKind, Page, PageRequest, Result, UNASSIGNED_INDEX, Version};

use crate::page;
use crate::tree::Tree;

/// What has a code and a version.
pub(crate) trait Coded<K: CodeKind>: Clone {
    fn code(&self) -> &Code<K>;
    fn version(&self) -> Version;
}

/// The things of one kind, each with the dictionary index under which columns name it. An index is never given twice.
#[derive(Debug)]
pub(crate) struct Catalog<K: CodeKind, T> {
    by_code: Tree<Code<K>, (u32, Arc<T>)>,
    /// From 1 on: 0 is what is not assigned.
    codes: Tree<u32, Code<K>>,
}

impl<K: CodeKind, T> Clone for Catalog<K, T> {
    fn clone(&self) -> Self {
        Self { by_code: self.by_code.clone(), codes: self.codes.clone() }
    }
}

impl<K: CodeKind, T> Default for Catalog<K, T> {
    fn default() -> Self {
        Self { by_code: Tree::default(), codes: Tree::default() }
    }
}

impl<K: CodeKind, T: Coded<K>> Catalog<K, T> {
    /// The thing of each code, at the place of its code.
    pub(crate) fn find(&self, codes: &[Code<K>]) -> Vec<Option<T>> {
        codes.iter().map(|code| self.by_code.get(code).map(|(_, thing)| T::clone(thing))).collect()
    }

    /// The dictionary index of a code, if it is known.
    pub(crate) fn index(&self, code: &Code<K>) -> Option<u32> {
        self.by_code.get(code).map(|(index, _)| *index)
    }

    /// The dictionary index of a code that is named by something else.
    ///
    /// # Errors
    /// `NotFound`, naming it.
    pub(crate) fn required(&self, code: &Code<K>) -> Result<u32> {
        self.index(code)
            .ok_or_else(|| Error::new(ErrorKind::NotFound, format!("{} is not known", K::NOUN)).with(K::NOUN, code))
    }

    /// The dictionary index of a code that may be absent.
    ///
    /// # Errors
    /// `NotFound`, naming it.
    pub(crate) fn optional(&self, code: Option<&Code<K>>) -> Result<u32> {
        code.map_or(Ok(UNASSIGNED_INDEX), |code| self.required(code))
    }

    /// The code of a dictionary index; `None` for what is not assigned.
    pub(crate) fn code(&self, index: u32) -> Option<Code<K>> {
        self.codes.get(&index).cloned()
    }

    /// All codes in the order of their indices.
    pub(crate) fn codes(&self) -> impl Iterator<Item = &Code<K>> {
        self.codes.iter().map(|(_, code)| code)
    }

    /// Writes by the rules of the ports' `put`.
    ///
    /// # Errors
    /// `AlreadyExists`, `VersionConflict`.
    pub(crate) fn put(&mut self, thing: &T, expected: Option<Version>) -> Result<()> {
        let code = thing.code();
        match (self.by_code.get_mut(code), expected) {
            (None, None) => {
                let index = u32::try_from(self.codes.len() + 1)
                    .map_err(|_| Error::new(ErrorKind::Backend, "dictionary is full").with("kind", K::NOUN))?;
                self.codes.insert(index, code.clone());
                self.by_code.insert(code.clone(), (index, Arc::new(thing.clone())));
            }
            (Some((_, known)), Some(version)) if known.version() == version => *known = Arc::new(thing.clone()),
            (Some(_), None) => {
                return Err(
                    Error::new(ErrorKind::AlreadyExists, format!("{} exists already", K::NOUN)).with(K::NOUN, code)
                );
            }
            (known, Some(version)) => {
                let stored = known.map_or_else(|| "none".to_owned(), |(_, known)| known.version().to_string());
                return Err(Error::new(ErrorKind::VersionConflict, format!("{} has another version", K::NOUN))
                    .with(K::NOUN, code)
                    .with("expected", version)
                    .with("stored", stored));
            }
        }
        Ok(())
    }

    /// A page, ascending by code.
    ///
    /// # Errors
    /// `InvalidInput` for a foreign cursor.
    pub(crate) fn list(&self, request: &PageRequest) -> Result<Page<T>> {
        let after = page::after(request, Code::<K>::new)?;
        let things = page::behind(&self.by_code, after.as_ref()).map(|(_, (_, thing))| T::clone(thing));
        Ok(page::page(things, request, |thing| thing.code().as_str().to_owned()))
    }
}
