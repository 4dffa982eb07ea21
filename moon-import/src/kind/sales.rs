//! Rows of sales.

use async_trait::async_trait;
use moon_core::{
    Actor, Amount, Ledger, LedgerSettings, LifeMessage, MessageBody, Result, Revision, RevisionRule, SaleContent,
    SaleKey, SaleKind, SaleMessage, SaleOutcome, Source, UnitOfWork,
};

use super::unknown::{Known, Named, ensure};
use super::{RowOutcome, RowReader, RowWriter, Written};
use crate::map::{ImportMap, Revisions, SalesMap, UnknownRules};
use crate::missing::References;
use crate::read::Row;
use crate::value::{
    AgentCell, BranchCell, Cell, DateCell, Fault, NumberForm, ProductCell, ReferenceCell, Slots, TeamCell,
    read_optional,
};

/// Reads sales, and negative rows that name what they take back.
#[derive(Debug)]
pub(crate) struct SaleReader {
    settings: LedgerSettings,
    numbers: NumberForm,
    source: Source,
    /// What a row without a revision of its own gets.
    rule: RevisionRule,
    revision: Option<Cell>,
    reference: ReferenceCell,
    cancels: Option<ReferenceCell>,
    agent: Option<AgentCell>,
    agent_name: Option<Cell>,
    product: ProductCell,
    product_name: Option<Cell>,
    product_line: Option<Cell>,
    amount: Cell,
    date: DateCell,
    team: Option<TeamCell>,
    branch: Option<BranchCell>,
    kind: Option<Cell>,
    policy_number: Option<Cell>,
    references: Option<References>,
}

/// What a row of sales says.
#[derive(Debug)]
pub(crate) struct SaleItem {
    message: SaleMessage,
    /// As the row gives it.
    amount: Amount,
    named: Named,
}

impl SaleReader {
    pub(crate) fn new(map: &ImportMap, sales: &SalesMap, settings: LedgerSettings, slots: &mut Slots) -> Self {
        let columns = &sales.columns;
        Self {
            settings,
            numbers: map.numbers,
            source: sales.source.clone(),
            rule: match sales.revisions {
                Revisions::Column | Revisions::Snapshot => RevisionRule::Next,
                Revisions::None => RevisionRule::Only,
            },
            revision: Cell::optional(sales.revision.as_ref(), slots),
            reference: ReferenceCell::new(&sales.reference, slots),
            cancels: (!sales.cancels.is_empty()).then(|| ReferenceCell::new(&sales.cancels, slots)),
            agent: AgentCell::optional(columns.agent.as_ref(), slots),
            agent_name: Cell::optional(columns.agent_name.as_ref(), slots),
            product: ProductCell::new(&columns.product, slots),
            product_name: Cell::optional(columns.product_name.as_ref(), slots),
            product_line: Cell::optional(columns.product_line.as_ref(), slots),
            amount: Cell::new(&columns.amount, slots),
            date: DateCell::new(&columns.date, slots),
            team: TeamCell::optional(columns.team.as_ref(), slots),
            branch: BranchCell::optional(columns.branch.as_ref(), slots),
            kind: Cell::optional(columns.kind.as_ref(), slots),
            policy_number: Cell::optional(columns.policy_number.as_ref(), slots),
            references: (sales.revisions == Revisions::Snapshot).then(References::default),
        }
    }

    fn named(&mut self, row: &Row<'_>, content: &SaleContent) -> Result<Named, Fault> {
        let text = |cell: &Option<Cell>, field| cell.as_ref().map_or(Ok(None), |cell| cell.text(row, field));
        Ok(Named {
            agent: content.agent.clone(),
            agent_name: text(&self.agent_name, "name")?,
            team: content.team.clone(),
            branch: content.branch.clone(),
            product: Some(content.product.clone()),
            product_name: text(&self.product_name, "name")?,
            product_line: text(&self.product_line, "line")?,
        })
    }

    fn rule(&self, row: &Row<'_>) -> Result<RevisionRule, Fault> {
        let Some(cell) = &self.revision else { return Ok(self.rule) };
        let text = cell.require(row)?;
        let number = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        let fault =
            || cell.fault(&format_args!("revision is not a number from 0 to {} (revision: {text:?})", u32::MAX));
        number.map(|number| RevisionRule::Given(Revision(number))).ok_or_else(fault)
    }
}

impl RowReader for SaleReader {
    type Item = SaleItem;

    fn read(&mut self, row: &Row<'_>) -> Result<SaleItem, Fault> {
        let reference = self.reference.require(row)?;
        let is_repeated = self.references.as_mut().is_some_and(|references| !references.add(&reference));
        // A snapshot tells of each sale once: were a second row a change, each import would change the sale twice again.
        let revision = if is_repeated { RevisionRule::Only } else { self.rule(row)? };
        let amount = self.amount.amount(row, self.numbers, &self.settings)?;
        let date = self.date.require(row, &self.settings)?;
        let original = if amount < Amount::ZERO {
            self.cancels.as_mut().map_or(Ok(None), |cancels| cancels.read(row))?
        } else {
            None
        };
        if let Some(original) = original {
            let life = LifeMessage::Cancel { date, amount: Some(-amount) };
            let key = SaleKey { source: self.source.clone(), reference: original };
            // A repeat is known by the entry, whatever the source calls its revisions.
            let revision = if self.revision.is_some() { revision } else { RevisionRule::Next };
            let message = SaleMessage { key, revision, body: MessageBody::Life(life), entry: Some(reference) };
            return Ok(SaleItem { message, amount, named: Named::default() });
        }
        let kind = match &self.kind {
            None => SaleKind::default(),
            Some(cell) => match cell.read(row)? {
                None => SaleKind::default(),
                Some(name) => SaleKind::from_name(&name).map_err(|error| cell.fault(&error))?,
            },
        };
        let policy_number = match &self.policy_number {
            None => None,
            Some(cell) => cell
                .read(row)?
                .map(|text| moon_core::Reference::new("policy number", &text))
                .transpose()
                .map_err(|error| cell.fault(&error))?,
        };
        let content = SaleContent {
            agent: read_optional(self.agent.as_mut(), row)?,
            product: self.product.require(row)?,
            amount,
            date,
            kind,
            policy_number,
            team: read_optional(self.team.as_mut(), row)?,
            branch: read_optional(self.branch.as_mut(), row)?,
        };
        let named = self.named(row, &content)?;
        let key = SaleKey { source: self.source.clone(), reference };
        let message = SaleMessage { key, revision, body: MessageBody::Content(content), entry: None };
        Ok(SaleItem { message, amount, named })
    }

    fn amount(item: &SaleItem) -> i64 {
        item.amount.minor()
    }

    fn into_references(self) -> Option<References> {
        self.references
    }
}

/// Records sales.
#[derive(Debug)]
pub(crate) struct SaleWriter {
    pub(crate) unknown: UnknownRules,
}

#[async_trait]
impl RowWriter for SaleWriter {
    type Item = SaleItem;

    async fn write(
        &self,
        ledger: &Ledger,
        unit: &mut dyn UnitOfWork,
        actor: &Actor,
        known: &Known,
        rows: &[SaleItem],
    ) -> Result<Written> {
        let named: Vec<Named> = rows.iter().map(|row| row.named.clone()).collect();
        let messages: Vec<SaleMessage> = rows.iter().map(|row| row.message.clone()).collect();
        let known = ensure(ledger, unit, actor, self.unknown, known, &named).await?;
        let report = ledger.record_sales_in(unit, actor, &messages).await?;
        let outcomes = report.outcomes.into_iter().map(|outcome| match outcome {
            SaleOutcome::Recorded(..) | SaleOutcome::Applied(..) | SaleOutcome::Kept(_) => RowOutcome::Recorded,
            SaleOutcome::Corrected(..) => RowOutcome::Corrected,
            SaleOutcome::Duplicate(_) => RowOutcome::Duplicate,
            SaleOutcome::Stale(_) => RowOutcome::Stale,
            SaleOutcome::Conflict(error) => RowOutcome::Conflict(error),
            SaleOutcome::Rejected(error) => RowOutcome::Rejected(error),
        });
        Ok(Written { outcomes: outcomes.collect(), known })
    }
}
