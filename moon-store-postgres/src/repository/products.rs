//! Products.

use std::collections::HashMap;

use async_trait::async_trait;
use moon_core::{Page, PageRequest, Product, ProductCode, ProductRepository, Result, Target, TargetKey, Text, Version};
use tokio_postgres::types::Type;

use super::{after, fetch_limit, in_place, written};
use crate::codes::Coded;
use crate::session::{Param, Row};
use crate::unit::PostgresUnit;
use crate::value;

/// Of `id, code, name, version, line, free_look_days`.
fn product(row: &Row) -> Result<Product> {
    let line: Option<&str> = row.get(4)?;
    let free_look_days: Option<i32> = row.get(5)?;
    Ok(Product {
        code: value::code(row.get(1)?)?,
        name: value::text("name", row.get(2)?)?,
        line: line.map(|line| value::text("line", line)).transpose()?,
        free_look_days: free_look_days.map(|days| value::narrow(days.into())).transpose()?,
        version: value::version(row.get(3)?)?,
    })
}

#[async_trait]
impl ProductRepository for PostgresUnit<'_> {
    async fn find(&mut self, codes: &[ProductCode]) -> Result<Vec<Option<Product>>> {
        let texts: Vec<&str> = codes.iter().map(ProductCode::as_str).collect();
        let sql = "SELECT id, code, name, version, line, free_look_days FROM ledger_products WHERE code = ANY($1)";
        let mut found = HashMap::with_capacity(texts.len());
        for row in self.session.rows("find products", sql, &[(&texts, Type::TEXT_ARRAY)]).await? {
            self.codes.learn(Coded::Product, row.get(1)?, row.get(0)?);
            found.insert(row.get::<String>(1)?, product(&row)?);
        }
        Ok(in_place(texts.into_iter(), &found))
    }

    async fn put(&mut self, product: &Product, expected: Option<Version>) -> Result<()> {
        let sql = match expected {
            None => {
                "INSERT INTO ledger_products (code, name, line, free_look_days, version)
                 SELECT $1, $2, $3, $4, $5 WHERE $6::int8 IS NULL ON CONFLICT (code) DO NOTHING"
            }
            Some(_) => {
                "UPDATE ledger_products SET name = $2, line = $3, free_look_days = $4, version = $5
                 WHERE code = $1 AND version = $6"
            }
        };
        let params: [Param<'_>; 6] = [
            (&product.code.as_str(), Type::TEXT),
            (&product.name.as_str(), Type::TEXT),
            (&product.line.as_ref().map(Text::as_str), Type::TEXT),
            (&product.free_look_days.map(i32::from), Type::INT4),
            (&i64::from(product.version.0), Type::INT8),
            (&expected.map(|version| i64::from(version.0)), Type::INT8),
        ];
        let touched = self.session.execute("write a product", sql, &params).await?;
        written(touched, "product", &product.code, expected)
    }

    async fn list(&mut self, page: &PageRequest) -> Result<Page<Product>> {
        let sql = "SELECT id, code, name, version, line, free_look_days FROM ledger_products
            WHERE code > $1 ORDER BY code LIMIT $2";
        let params: [Param<'_>; 2] = [(&after(page)?, Type::TEXT), (&fetch_limit(page), Type::INT8)];
        let rows = self.session.rows("list products", sql, &params).await?;
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
