//! Products.

use async_trait::async_trait;
use moon_core::{Page, PageRequest, Product, ProductCode, ProductRepository, Result, Target, TargetKey, Text, Version};
use mysql_async::Row;

use super::{after, fetch_limit, written};
use crate::codes::Coded;
use crate::unit::MysqlUnit;
use crate::value::{self, Columns as _};

/// Of `id, code, name, version, line, free_look_days`.
fn product(row: &Row) -> Result<Product> {
    Ok(Product {
        code: value::code(row.text(1)?)?,
        name: value::text("name", row.text(2)?)?,
        line: row.optional_text(4)?.map(|line| value::text("line", line)).transpose()?,
        free_look_days: row.optional_int(5)?.map(value::narrow).transpose()?,
        version: value::version(row.int(3)?)?,
    })
}

#[async_trait]
impl ProductRepository for MysqlUnit<'_> {
    async fn find(&mut self, codes: &[ProductCode]) -> Result<Vec<Option<Product>>> {
        let codes: Vec<&str> = codes.iter().map(ProductCode::as_str).collect();
        let query =
            "SELECT id, code, name, version, line, free_look_days FROM ledger_products WHERE code IN ({places})";
        self.find_by_code("find products", Coded::Product, &codes, query, product).await
    }

    async fn put(&mut self, product: &Product, expected: Option<Version>) -> Result<()> {
        let mut params = vec![
            value::bytes(product.name.as_str()),
            value::optional(product.line.as_ref().map(Text::as_str)),
            value::optional_int(product.free_look_days),
            value::int(product.version.0),
            value::bytes(product.code.as_str()),
        ];
        let sql = match expected {
            None => "INSERT INTO ledger_products (name, line, free_look_days, version, code) VALUES (?, ?, ?, ?, ?)",
            Some(version) => {
                params.push(value::int(version.0));
                "UPDATE ledger_products SET name = ?, line = ?, free_look_days = ?, version = ?
                 WHERE code = ? AND version = ?"
            }
        };
        let outcome = self.session.execute("write a product", sql, params).await;
        written(outcome, "product", &product.code, expected)
    }

    async fn list(&mut self, page: &PageRequest) -> Result<Page<Product>> {
        let sql = "SELECT id, code, name, version, line, free_look_days FROM ledger_products
            WHERE code > ? ORDER BY code LIMIT ?";
        let rows = self.session.rows("list products", sql, vec![after(page)?, fetch_limit(page)]).await?;
        let items = rows.iter().map(product).collect::<Result<_>>()?;
        Ok(Page::from_fetched(items, page.limit, |product: &Product| product.code.to_string()))
    }

    async fn find_targets(&mut self, keys: &[TargetKey]) -> Result<Vec<Target>> {
        self.targets_of(keys).await
    }

    async fn targets(&mut self) -> Result<Vec<Target>> {
        self.current_targets().await
    }

    async fn add_target(&mut self, target: &Target) -> Result<()> {
        self.insert_target(target).await
    }
}
