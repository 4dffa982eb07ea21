//! Reports as JSON and as CSV.

use serde_json::{Map, Value, json};

use super::{BranchRow, KpiReport, ProductRow, TeamRow};
use crate::{Currency, Sum};

/// The columns of [`KpiReport::write_csv`].
const CSV_HEADER: &str =
    "figure,code,name,region,target_amount,total_sales,sale_count,variance,attainment,status,complete,coverage";
const CSV_YEAR_BEFORE: &str = ",total_sales_year_before,sale_count_year_before";

impl KpiReport {
    /// The report as a document whose fields have a fixed order. Amounts are strings with all digits of the currency,
    /// attainment is one with six decimals; what is absent is null. Only where the year before was asked, rows end with
    /// `total_sales_year_before` and `sale_count_year_before`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "period": self.period,
            "basis": self.basis.name(),
            "currency": self.currency.code(),
            "teams": self.teams.iter().map(|row| team_json(row, self.currency)).collect::<Vec<_>>(),
            "branches": self.branches.iter().map(|row| branch_json(row, self.currency)).collect::<Vec<_>>(),
            "products": self.products.iter().map(|row| product_json(row, self.currency)).collect::<Vec<_>>(),
            "control": {
                "total_sales": amount(self.control.minor, self.currency),
                "sale_count": self.control.count,
            },
            "run": self.run.map(|run| json!({ "run_id": run.run_id.to_string(), "rows_read": run.rows_read })),
        })
    }

    /// Appends the three figures as one CSV table: a header, then a line for each team, branch and product, told apart by
    /// the column `figure`. Fields that a figure does not have are empty. Two columns for the year before follow where
    /// that was asked.
    ///
    /// Texts that a spreadsheet would take for a formula get an apostrophe in front.
    pub fn write_csv(&self, out: &mut String) {
        let year_before = self.has_year_before();
        out.push_str(CSV_HEADER);
        out.push_str(if year_before { CSV_YEAR_BEFORE } else { "" });
        out.push('\n');
        let total = |sum: Sum| [amount(sum.minor, self.currency), sum.count.to_string()];
        let mut line = |fields: [&str; 4], [sales, count]: [String; 2], target: [String; 6], before: Option<Sum>| {
            let [figure, code, name, region] = fields;
            let [target_amount, variance, attainment, status, complete, coverage] = target;
            out.push_str(figure);
            for text in [code, name, region] {
                out.push(',');
                push_csv_text(out, text);
            }
            let mut fields = vec![target_amount, sales, count, variance, attainment, status, complete, coverage];
            if year_before {
                fields.extend(before.map_or_else(Default::default, total));
            }
            for field in fields {
                out.push(',');
                out.push_str(&field);
            }
            out.push('\n');
        };
        for row in &self.teams {
            line(["team", &row.team, &row.team_name, ""], total(row.total), Default::default(), row.year_before);
        }
        for row in &self.branches {
            let region = row.region.as_ref().map_or("", |region| region.as_str());
            line(
                ["branch", &row.branch, &row.branch_name, region],
                total(row.total),
                Default::default(),
                row.year_before,
            );
        }
        for row in &self.products {
            let optional = |minor: Option<i128>| minor.map(|minor| amount(minor, self.currency)).unwrap_or_default();
            let target = [
                optional(row.target_minor),
                optional(row.variance_minor),
                row.attainment.map(|attainment| attainment.to_string()).unwrap_or_default(),
                row.status.name().to_owned(),
                row.complete.to_string(),
                row.coverage.name().to_owned(),
            ];
            line(["product", &row.product, &row.product_name, ""], total(row.total), target, row.year_before);
        }
    }

    fn has_year_before(&self) -> bool {
        self.teams.iter().any(|row| row.year_before.is_some())
            || self.branches.iter().any(|row| row.year_before.is_some())
            || self.products.iter().any(|row| row.year_before.is_some())
    }
}

fn team_json(row: &TeamRow, currency: Currency) -> Value {
    let document = json!({
        "team": &*row.team,
        "team_name": &*row.team_name,
        "total_sales": amount(row.total.minor, currency),
        "sale_count": row.total.count,
    });
    with_year_before(document, row.year_before, currency)
}

fn branch_json(row: &BranchRow, currency: Currency) -> Value {
    let document = json!({
        "branch": &*row.branch,
        "branch_name": &*row.branch_name,
        "region": row.region.as_ref().map(|region| region.as_str()),
        "total_sales": amount(row.total.minor, currency),
        "sale_count": row.total.count,
    });
    with_year_before(document, row.year_before, currency)
}

fn product_json(row: &ProductRow, currency: Currency) -> Value {
    let document = json!({
        "product": &*row.product,
        "product_name": &*row.product_name,
        "target_amount": row.target_minor.map(|minor| amount(minor, currency)),
        "total_sales": amount(row.total.minor, currency),
        "sale_count": row.total.count,
        "variance": row.variance_minor.map(|minor| amount(minor, currency)),
        "attainment": row.attainment.map(|attainment| attainment.to_string()),
        "status": row.status.name(),
        "complete": row.complete,
        "coverage": row.coverage.name(),
    });
    with_year_before(document, row.year_before, currency)
}

fn with_year_before(mut document: Value, before: Option<Sum>, currency: Currency) -> Value {
    if let Some((fields, before)) = document.as_object_mut().zip(before) {
        let fields: &mut Map<String, Value> = fields;
        fields.insert("total_sales_year_before".to_owned(), amount(before.minor, currency).into());
        fields.insert("sale_count_year_before".to_owned(), before.count.into());
    }
    document
}

fn amount(minor: i128, currency: Currency) -> String {
    Sum::new(minor, 0).display(currency).to_string()
}

/// Appends a text as a CSV field: quoted where it must be, and with an apostrophe in front where a spreadsheet would take it
/// for a formula.
pub fn push_csv_text(out: &mut String, text: &str) {
    // A formula in a name must not run on the machine of whoever opens the file.
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if !formula && !text.contains([',', '"', '\n', '\r']) {
        out.push_str(text);
        return;
    }
    out.push('"');
    if formula {
        out.push('\'');
    }
    for character in text.chars() {
        if character == '"' {
            out.push('"');
        }
        out.push(character);
    }
    out.push('"');
}
