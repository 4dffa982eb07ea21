//! Products.

use async_trait::async_trait;
use moon_core::{Page, PageRequest, Product, ProductCode, ProductRepository, Result, Target, TargetKey, Text, Version};

use super::{after, fetch_limit, in_place, written};
use crate::codes::Coded;
use crate::unit::SqliteUnit;
use crate::value;

#[derive(sqlx::FromRow)]
struct ProductRow {
    place: i64,
    id: i64,
    code: String,
    name: String,
    line: Option<String>,
    free_look_days: Option<u16>,
    version: i64,
}

impl ProductRow {
    fn read(&self) -> Result<Product> {
        Ok(Product {
            code: value::code(&self.code)?,
            name: value::text("name", &self.name)?,
            line: self.line.as_deref().map(|line| value::text("line", line)).transpose()?,
            free_look_days: self.free_look_days,
            version: value::version(self.version)?,
        })
    }
}

#[async_trait]
impl ProductRepository for SqliteUnit {
    async fn find(&mut self, codes: &[ProductCode]) -> Result<Vec<Option<Product>>> {
        if codes.is_empty() {
            return Ok(Vec::new());
        }
        let rows: sqlx::Result<Vec<ProductRow>> = sqlx::query_as(
            "SELECT k.key AS place, p.* FROM json_each(?) k CROSS JOIN ledger_products p ON p.code = k.value",
        )
        .bind(value::json_texts(codes.iter().map(ProductCode::as_str))?)
        .fetch_all(self.session.reading()?)
        .await;
        let rows = self.session.done("find products", rows)?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            self.codes.learn(Coded::Product, &row.code, row.id);
            found.push((row.place, row.read()?));
        }
        Ok(in_place(codes.len(), found))
    }

    async fn put(&mut self, product: &Product, expected: Option<Version>) -> Result<()> {
        let query = match expected {
            None => sqlx::query(
                "INSERT INTO ledger_products (name, line, free_look_days, version, code) VALUES (?, ?, ?, ?, ?)
                 ON CONFLICT (code) DO NOTHING",
            ),
            Some(_) => sqlx::query(
                "UPDATE ledger_products SET name = ?, line = ?, free_look_days = ?, version = ?
                 WHERE code = ? AND version = ?",
            ),
        };
        let outcome = query
            .bind(product.name.as_str())
            .bind(product.line.as_ref().map(Text::as_str))
            .bind(product.free_look_days)
            .bind(product.version.0)
            .bind(product.code.as_str())
            .bind(expected.map(|version| version.0))
            .execute(self.session.writing()?)
            .await;
        let outcome = self.session.done("write a product", outcome)?;
        written(&outcome, "product", &product.code, expected)
    }

    async fn list(&mut self, page: &PageRequest) -> Result<Page<Product>> {
        let rows: sqlx::Result<Vec<ProductRow>> =
            sqlx::query_as("SELECT 0 AS place, p.* FROM ledger_products p WHERE code > ? ORDER BY code LIMIT ?")
                .bind(after(page)?)
                .bind(fetch_limit(page))
                .fetch_all(self.session.reading()?)
                .await;
        let rows = self.session.done("list products", rows)?;
        let items = rows.iter().map(ProductRow::read).collect::<Result<_>>()?;
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
