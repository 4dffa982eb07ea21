//! Rows of products, with targets where they have them.

use std::collections::HashMap;

use async_trait::async_trait;
use moon_core::{
    Actor, Ledger, LedgerSettings, Name, NewTarget, Product, ProductCode, PutRule, Result, TargetKey, TargetScope,
    Text, UnitOfWork,
};

use super::targets::{TargetValue, TargetsMet, set_target};
use super::unknown::{Known, new_product};
use super::{RowOutcome, RowReader, RowWriter, Written};
use crate::map::{ImportMap, ProductColumns};
use crate::missing::References;
use crate::read::Row;
use crate::value::{Cell, Fault, ProductCell, Slots};

/// Reads products.
#[derive(Debug)]
pub(crate) struct ProductReader {
    settings: LedgerSettings,
    code: ProductCell,
    name: Option<Cell>,
    line: Option<Cell>,
    free_look_days: Option<Cell>,
    target: Option<TargetValue>,
    met: TargetsMet,
}

/// What a row of products says. The outer `None` is what the map does not speak of: there, what is known stays.
#[derive(Debug)]
pub(crate) struct ProductItem {
    code: ProductCode,
    name: Option<Name>,
    line: Option<Option<Text>>,
    free_look_days: Option<Option<u16>>,
    target: Option<NewTarget>,
}

impl ProductReader {
    pub(crate) fn new(map: &ImportMap, columns: &ProductColumns, settings: LedgerSettings, slots: &mut Slots) -> Self {
        let target = columns.target.as_ref().zip(columns.target_period.as_ref());
        Self {
            settings,
            code: ProductCell::new(&columns.code, slots),
            name: Cell::optional(columns.name.as_ref(), slots),
            line: Cell::optional(columns.line.as_ref(), slots),
            free_look_days: Cell::optional(columns.free_look_days.as_ref(), slots),
            target: target.map(|(amount, period)| TargetValue {
                numbers: map.numbers,
                period: Cell::new(period, slots),
                amount: Cell::new(amount, slots),
            }),
            met: TargetsMet::default(),
        }
    }
}

impl RowReader for ProductReader {
    type Item = ProductItem;

    fn read(&mut self, row: &Row<'_>) -> Result<ProductItem, Fault> {
        let code = self.code.require(row)?;
        let days = |cell: &Cell| -> Result<_, Fault> {
            let Some(text) = cell.read(row)? else { return Ok(None) };
            let number = text.parse().map_err(|_| cell.fault(&format_args!("is not a number of days: {text:?}")))?;
            Ok(Some(number))
        };
        let name = self.name.as_ref().map_or(Ok(None), |cell| cell.text(row, "name"))?;
        let line = self.line.as_ref().map(|cell| cell.text(row, "line")).transpose()?;
        let free_look_days = self.free_look_days.as_ref().map(days).transpose()?;
        let value = self.target.as_ref().map_or(Ok(None), |target| target.read(row, &self.settings))?;
        let target = value.map(|(period, amount)| {
            let key = TargetKey { product: Some(code.clone()), scope: TargetScope::Ledger, period };
            NewTarget { key, from: None, amount, expected: None }
        });
        if let Some(target) = &target {
            self.met.add(target, row.line)?;
        }
        Ok(ProductItem { code, name, line, free_look_days, target })
    }

    fn amount(item: &ProductItem) -> i64 {
        item.target.as_ref().map_or(0, |target| target.amount.minor())
    }

    fn into_references(self) -> Option<References> {
        None
    }
}

/// Writes products and sets their targets.
#[derive(Debug)]
pub(crate) struct ProductWriter;

#[async_trait]
impl RowWriter for ProductWriter {
    type Item = ProductItem;

    async fn write(
        &self,
        ledger: &Ledger,
        unit: &mut dyn UnitOfWork,
        actor: &Actor,
        _: &Known,
        rows: &[ProductItem],
    ) -> Result<Written> {
        let codes: Vec<ProductCode> = rows.iter().map(|row| row.code.clone()).collect();
        let found = unit.products().find(&codes).await?;
        let mut present: HashMap<ProductCode, Product> =
            found.into_iter().flatten().map(|product| (product.code.clone(), product)).collect();
        let mut products = Vec::with_capacity(rows.len());
        for row in rows {
            let mut product = present.get(&row.code).cloned().map_or_else(|| new_product(&row.code), Ok)?;
            product.name = row.name.clone().unwrap_or(product.name);
            product.line = row.line.clone().unwrap_or(product.line);
            product.free_look_days = row.free_look_days.unwrap_or(product.free_look_days);
            present.insert(row.code.clone(), product.clone());
            products.push(product);
        }
        let put = ledger.put_products_in(unit, actor, &products, PutRule::Replace).await?;
        let mut outcomes = Vec::with_capacity(rows.len());
        for (row, put) in rows.iter().zip(put) {
            let mut outcome = RowOutcome::from(put);
            if let Some(target) = &row.target {
                outcome = outcome.and(set_target(ledger, unit, actor, target).await?);
            }
            outcomes.push(outcome);
        }
        Ok(Written { outcomes, known: Known::default() })
    }
}
