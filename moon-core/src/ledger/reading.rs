//! Reading the ledger.

use super::Ledger;
use super::attribution::Attribution;
use crate::{Assignment, MessageBody, Result, Sale, SaleId, SaleKey, StoredMessage, TxMode, UnitOfWork};

/// A sale with everything that was ever said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleHistory {
    /// As it stands.
    pub sale: Sale,
    /// All messages, ascending by revision, the present content among them.
    pub messages: Vec<StoredMessage>,
}

impl Ledger {
    /// A unit of work that sees one snapshot.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn snapshot(&self) -> Result<Box<dyn UnitOfWork>> {
        self.store.begin(TxMode::ReadOnly).await
    }

    /// The sale of this key.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn find_sale(&self, key: &SaleKey) -> Result<Option<Sale>> {
        let mut unit = self.snapshot().await?;
        Ok(unit.sales().find(std::slice::from_ref(key)).await?.into_iter().flatten().next())
    }

    /// The sale of this identifier, with its history.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn sale_history(&self, id: SaleId) -> Result<Option<SaleHistory>> {
        let mut unit = self.snapshot().await?;
        let Some(sale) = unit.sales().get(id).await? else { return Ok(None) };
        let mut messages = unit.sales().messages(std::slice::from_ref(&sale.key)).await?;
        messages.push(StoredMessage {
            key: sale.key.clone(),
            revision: sale.revision,
            body: MessageBody::Content(sale.content.clone()),
            entry: None,
            received_at: sale.content_at,
        });
        messages.sort_by_key(|message| message.revision);
        Ok(Some(SaleHistory { sale, messages }))
    }

    /// For each sale the assignment from which places that its source did not give are derived: that of its agent on its
    /// date. `None` for a sale without an agent, and where the agent has none.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn assignments_behind_in(
        &self,
        unit: &mut dyn UnitOfWork,
        sales: &[Sale],
    ) -> Result<Vec<Option<Assignment>>> {
        let mut agents: Vec<_> = sales.iter().filter_map(|sale| sale.content.agent.clone()).collect();
        agents.sort_unstable();
        agents.dedup();
        if agents.is_empty() {
            return Ok(vec![None; sales.len()]);
        }
        let attribution = Attribution::load(unit, &agents).await?;
        Ok(sales.iter().map(|sale| attribution.behind(&sale.content).cloned()).collect())
    }
}
