//! Products and targets.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use moon_core::{
    BusinessDate, Error, ErrorKind, Page, PageRequest, Product, ProductCode, ProductRepository, Result, Target,
    TargetKey, TargetScope, Version,
};

use crate::state::State;
use crate::store::MemoryUnit;

#[async_trait]
impl ProductRepository for MemoryUnit {
    async fn find(&mut self, codes: &[ProductCode]) -> Result<Vec<Option<Product>>> {
        Ok(self.state().products.find(codes))
    }

    async fn put(&mut self, product: &Product, expected: Option<Version>) -> Result<()> {
        self.state_mut()?.products.put(product, expected)
    }

    async fn list(&mut self, page: &PageRequest) -> Result<Page<Product>> {
        self.state().products.list(page)
    }

    async fn find_targets(&mut self, keys: &[TargetKey]) -> Result<Vec<Target>> {
        let keys: BTreeSet<&TargetKey> = keys.iter().collect();
        let state = self.state();
        Ok(current(keys.into_iter().flat_map(|key| {
            let from = (key.clone(), BusinessDate::MIN, Version(0));
            state.targets.starting_at(&from).take_while(move |((known, ..), _)| known == key).map(|(_, target)| target)
        })))
    }

    async fn targets(&mut self) -> Result<Vec<Target>> {
        Ok(current(self.state().targets.iter().map(|(_, target)| target)))
    }

    async fn add_target(&mut self, target: &Target) -> Result<()> {
        let state = self.state_mut()?;
        check_names(state, &target.key)?;
        let key = (target.key.clone(), target.from, target.version);
        if state.targets.get(&key).is_some() {
            return Err(Error::new(ErrorKind::VersionConflict, "this version of the target is there already")
                .with("product", target.key.product.as_ref().map_or("all", |product| product.as_str()))
                .with("scope", &target.key.scope)
                .with("from", target.from)
                .with("version", target.version));
        }
        state.targets.insert(key, Arc::new(target.clone()));
        Ok(())
    }
}

/// The last of each (key, from) in ascending history.
fn current<'a>(history: impl Iterator<Item = &'a Arc<Target>>) -> Vec<Target> {
    let mut current: Vec<Target> = Vec::new();
    for target in history {
        match current.last_mut() {
            Some(last) if last.key == target.key && last.from == target.from => *last = Target::clone(target),
            _ => current.push(Target::clone(target)),
        }
    }
    current
}

/// What a target names must exist.
fn check_names(state: &State, key: &TargetKey) -> Result<()> {
    state.products.optional(key.product.as_ref())?;
    match &key.scope {
        TargetScope::Ledger => {}
        TargetScope::Branch(code) => {
            state.branches.required(code)?;
        }
        TargetScope::Team(code) => {
            state.teams.required(code)?;
        }
        TargetScope::Agent(code) => {
            state.agents.required(code)?;
        }
    }
    Ok(())
}
