//! Rows for staging, as text: the one form in which every dialect takes dates and exact decimals.

use moon_core::{
    AgentCell, BusinessDate, Cell, Currency, Dimension, Error, Figures, ProductCode, ProductRow, PublishedTarget,
    Restatement, Result, StagedRows, Sum, Text,
};

/// A staging table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Stage {
    Cells,
    Entries,
    Targets,
    Metrics,
    Agents,
    Restatements,
}

impl Stage {
    pub(crate) const EVERY: [Self; 6] =
        [Self::Cells, Self::Entries, Self::Targets, Self::Metrics, Self::Agents, Self::Restatements];

    pub(crate) fn table(self) -> &'static str {
        match self {
            Self::Cells => "warehouse_stage_cells",
            Self::Entries => "warehouse_stage_entries",
            Self::Targets => "warehouse_stage_targets",
            Self::Metrics => "warehouse_stage_metrics",
            Self::Agents => "warehouse_stage_agents",
            Self::Restatements => "warehouse_stage_restatements",
        }
    }

    /// The columns behind `run_id`, each with its type.
    pub(crate) fn columns(self) -> &'static [(&'static str, &'static str)] {
        const TEXT: &str = "VARCHAR(800)";
        const AMOUNT: &str = "NUMERIC(38, 4)";
        match self {
            Self::Cells => &[
                ("dimension", "SMALLINT"),
                ("day", "DATE"),
                ("code", TEXT),
                ("net_sales", AMOUNT),
                ("net_count", "BIGINT"),
                ("gross_sales", AMOUNT),
                ("gross_count", "BIGINT"),
                ("activity_sales", AMOUNT),
                ("activity_count", "BIGINT"),
            ],
            Self::Entries => &[("dimension", "SMALLINT"), ("code", TEXT), ("name", TEXT), ("detail", TEXT)],
            Self::Targets => &[
                ("product", TEXT),
                ("scope", TEXT),
                ("granularity", TEXT),
                ("period_start", "DATE"),
                ("period_end", "DATE"),
                ("target_amount", AMOUNT),
            ],
            Self::Metrics => &[
                ("month", "DATE"),
                ("product", TEXT),
                ("product_name", TEXT),
                ("target_amount", AMOUNT),
                ("total_sales", AMOUNT),
                ("sale_count", "BIGINT"),
                ("variance", AMOUNT),
                ("attainment", "NUMERIC(38, 6)"),
                ("status", TEXT),
                ("complete", "BOOLEAN"),
                ("coverage", TEXT),
            ],
            Self::Agents => &[
                ("month", "DATE"),
                ("agent", TEXT),
                ("net_sales", AMOUNT),
                ("net_count", "BIGINT"),
                ("gross_sales", AMOUNT),
                ("gross_count", "BIGINT"),
                ("activity_sales", AMOUNT),
                ("activity_count", "BIGINT"),
            ],
            Self::Restatements => &[
                ("dimension", "SMALLINT"),
                ("day", "DATE"),
                ("code", TEXT),
                ("before_net_sales", AMOUNT),
                ("before_net_count", "BIGINT"),
                ("before_gross_sales", AMOUNT),
                ("before_gross_count", "BIGINT"),
                ("before_activity_sales", AMOUNT),
                ("before_activity_count", "BIGINT"),
                ("after_net_sales", AMOUNT),
                ("after_net_count", "BIGINT"),
                ("after_gross_sales", AMOUNT),
                ("after_gross_count", "BIGINT"),
                ("after_activity_sales", AMOUNT),
                ("after_activity_count", "BIGINT"),
            ],
        }
    }

    /// How many of the first columns are the key of a row; 0 for none.
    pub(crate) fn key_columns(self) -> usize {
        match self {
            Self::Cells | Self::Restatements => 3,
            Self::Entries | Self::Metrics | Self::Agents => 2,
            Self::Targets => 0,
        }
    }
}

/// A row, by the columns of its stage.
pub(crate) type TextRow = Vec<Option<String>>;

/// The number of a daily dimension in the tables; `None` for agents, who have none there.
pub(crate) fn dimension_number(dimension: Dimension) -> Option<i16> {
    match dimension {
        Dimension::Team => Some(1),
        Dimension::Branch => Some(2),
        Dimension::Product => Some(3),
        Dimension::Agent => None,
    }
}

/// Turns staged rows into text; `None` for what is no row.
pub(crate) fn text_rows(rows: &StagedRows, currency: Currency) -> Result<Option<(Stage, Vec<TextRow>)>> {
    Ok(Some(match rows {
        StagedRows::Cells(cells) => (Stage::Cells, cells.iter().map(|cell| cell_row(cell, currency)).collect()),
        StagedRows::Teams(teams) => {
            let entries = teams.iter().map(|team| entry_row(Dimension::Team, team.code.as_str(), &team.name, None));
            (Stage::Entries, entries.collect())
        }
        StagedRows::Branches(branches) => {
            let entries = branches
                .iter()
                .map(|branch| entry_row(Dimension::Branch, branch.code.as_str(), &branch.name, branch.region.as_ref()));
            (Stage::Entries, entries.collect())
        }
        StagedRows::Products(products) => {
            let entries = products.iter().map(|product| {
                entry_row(Dimension::Product, product.code.as_str(), &product.name, product.line.as_ref())
            });
            (Stage::Entries, entries.collect())
        }
        StagedRows::Targets(targets) => {
            (Stage::Targets, targets.iter().map(|target| target_row(target, currency)).collect::<Result<_>>()?)
        }
        StagedRows::ProductMetrics { month, rows } => {
            (Stage::Metrics, rows.iter().map(|row| metric_row(*month, row, currency)).collect())
        }
        StagedRows::AgentCells(cells) => (Stage::Agents, cells.iter().map(|cell| agent_row(cell, currency)).collect()),
        StagedRows::Restatements(rows) => {
            (Stage::Restatements, rows.iter().map(|row| restatement_row(row, currency)).collect())
        }
        StagedRows::Close(_) | StagedRows::Reopen(_) => return Ok(None),
    }))
}

/// Minor units as an exact decimal.
fn decimal(minor: i128, currency: Currency) -> String {
    Sum::new(minor, 0).display(currency).to_string()
}

/// The six columns of figures.
fn six(figures: &Figures, currency: Currency) -> impl Iterator<Item = Option<String>> {
    let sums = [figures.net, figures.gross, figures.activity].into_iter();
    sums.flat_map(move |sum| [Some(decimal(sum.minor, currency)), Some(sum.count.to_string())])
}

fn cell_row(cell: &Cell, currency: Currency) -> TextRow {
    let mut row = group(cell.dimension, cell.day, &cell.code);
    row.extend(six(&cell.figures, currency));
    row
}

fn restatement_row(restatement: &Restatement, currency: Currency) -> TextRow {
    let mut row = group(restatement.dimension, restatement.day, &restatement.code);
    row.extend(six(&restatement.before, currency).chain(six(&restatement.after, currency)));
    row
}

fn group(dimension: Dimension, day: BusinessDate, code: &str) -> TextRow {
    let dimension = dimension_number(dimension).map(|number| number.to_string());
    vec![dimension, Some(day.to_string()), Some(code.to_owned())]
}

fn agent_row(cell: &AgentCell, currency: Currency) -> TextRow {
    let mut row = vec![Some(cell.month.to_string()), Some(cell.agent.clone())];
    row.extend(six(&cell.figures, currency));
    row
}

fn entry_row(dimension: Dimension, code: &str, name: &Text, detail: Option<&Text>) -> TextRow {
    let dimension = dimension_number(dimension).map(|number| number.to_string());
    vec![dimension, Some(code.to_owned()), Some(name.to_string()), detail.map(ToString::to_string)]
}

fn target_row(target: &PublishedTarget, currency: Currency) -> Result<TextRow> {
    let days = target.period.days();
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        return Err(Error::invalid("period of a target has no days"));
    };
    Ok(vec![
        target.product.as_ref().map(ProductCode::to_string),
        Some(target.scope.to_string()),
        Some(target.period.granularity().name().to_owned()),
        Some(first.to_string()),
        Some(last.to_string()),
        Some(decimal(target.amount.minor().into(), currency)),
    ])
}

fn metric_row(month: Option<BusinessDate>, row: &ProductRow, currency: Currency) -> TextRow {
    vec![
        month.map(|month| month.to_string()),
        Some(row.product.to_string()),
        Some(row.product_name.to_string()),
        row.target_minor.map(|minor| decimal(minor, currency)),
        Some(decimal(row.total.minor, currency)),
        Some(row.total.count.to_string()),
        row.variance_minor.map(|minor| decimal(minor, currency)),
        row.attainment.map(|attainment| attainment.to_string()),
        Some(row.status.name().to_owned()),
        Some(row.complete.to_string()),
        Some(row.coverage.name().to_owned()),
    ]
}
