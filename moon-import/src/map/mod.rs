//! Maps: what the columns of a file mean to the ledger.

mod columns;
mod field;

use std::path::Path;

use moon_core::{Error, Result, Source};
use serde::Deserialize;
use serde::de::DeserializeOwned;

pub use columns::{
    AgentColumns, AssignmentColumns, BranchColumns, ProductColumns, SalesColumns, TargetColumns, TeamColumns,
};
pub use field::{DateField, Field, Origin};

use crate::value::NumberForm;

/// What a file looks like, what its columns mean, and what is to be done with what the ledger does not know.
///
/// ```
/// let map = moon_import::ImportMap::parse(
///     r#"
///     kind = "teams"
///     [columns]
///     code = "TEAM"
///     name = { column = "TEAM_NAME", collapse_blanks = true }
///     "#,
///     "teams.toml",
/// )?;
/// assert_eq!(map.content.kind(), "teams");
/// # Ok::<(), moon_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportMap {
    /// The form of the file; told by its name when absent.
    pub format: Option<FileFormat>,
    /// What stands between the values of a CSV file.
    pub delimiter: u8,
    /// How numbers are written.
    pub numbers: NumberForm,
    /// What rows may bring into being.
    pub unknown: UnknownRules,
    /// What the file is known to hold.
    pub expect: Option<Expectation>,
    /// The kind of rows with the meaning of their columns.
    pub content: Content,
}

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileFormat {
    /// Values between delimiters, the first line naming the columns.
    Csv,
    /// A JSON object on each line.
    Ndjson,
}

/// What to do with a code that the ledger does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnknownRule {
    /// Create it.
    Create,
    /// Reject the row.
    #[default]
    Refuse,
}

/// What rows may bring into being.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UnknownRules {
    /// Agents.
    pub agents: UnknownRule,
    /// Teams.
    pub teams: UnknownRule,
    /// Branches.
    pub branches: UnknownRule,
    /// Products.
    pub products: UnknownRule,
}

/// What a file is known to hold. Rows that cannot be read do not count.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// How many good rows.
    pub rows: Option<u64>,
    /// The sum of their amounts, as a plain decimal number with a point.
    pub sum: Option<String>,
}

/// How the revision of a row is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Revisions {
    /// A column has it.
    Column,
    /// The file shows all sales as they stand: a changed row takes the next revision, and missing rows are reported.
    Snapshot,
    /// The source tells of each sale once: a changed row is a conflict.
    #[default]
    None,
}

/// The kind of rows with the meaning of their columns.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// Sales, and cancellations that name their original.
    Sales(Box<SalesMap>),
    /// Agents, with assignments where the rows have them.
    Agents(AgentColumns),
    /// Products, with targets where the rows have them.
    Products(ProductColumns),
    /// Targets.
    Targets(TargetColumns),
    /// Assignments.
    Assignments(AssignmentColumns),
    /// Teams.
    Teams(TeamColumns),
    /// Branches.
    Branches(BranchColumns),
}

impl Content {
    /// The kind of rows, as maps name it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sales(_) => "sales",
            Self::Agents(_) => "agents",
            Self::Products(_) => "products",
            Self::Targets(_) => "targets",
            Self::Assignments(_) => "assignments",
            Self::Teams(_) => "teams",
            Self::Branches(_) => "branches",
        }
    }

    /// Whether the rows have an amount that can be added up.
    #[must_use]
    pub fn has_amounts(&self) -> bool {
        match self {
            Self::Sales(_) | Self::Targets(_) => true,
            Self::Products(columns) => columns.target.is_some(),
            Self::Agents(_) | Self::Assignments(_) | Self::Teams(_) | Self::Branches(_) => false,
        }
    }
}

/// What the rows of a file of sales mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SalesMap {
    /// The name under which the ledger knows the source.
    pub source: Source,
    /// The values that together are the reference of a sale in its source.
    pub reference: Vec<Field>,
    /// The values that together are the reference of the sale which a negative row takes back; may be empty.
    pub cancels: Vec<Field>,
    /// How the revision of a row is known.
    pub revisions: Revisions,
    /// The value with the revision.
    pub revision: Option<Field>,
    /// The columns.
    pub columns: SalesColumns,
}

/// The first look into a map: what kind it is decides what else may stand in it.
#[derive(Deserialize)]
struct Head {
    kind: Kind,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Sales,
    Agents,
    Products,
    Targets,
    Assignments,
    Teams,
    Branches,
}

/// A map of master data or targets, as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlainFile<C> {
    #[serde(rename = "kind")]
    _kind: Kind,
    format: Option<FileFormat>,
    delimiter: Option<String>,
    decimal: Option<Decimal>,
    grouping: Option<String>,
    #[serde(default)]
    unknown: UnknownRules,
    expect: Option<Expectation>,
    columns: C,
}

/// A map of sales, as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SalesFile {
    #[serde(rename = "kind")]
    _kind: Kind,
    format: Option<FileFormat>,
    delimiter: Option<String>,
    decimal: Option<Decimal>,
    grouping: Option<String>,
    source: String,
    reference: OneOrMany,
    cancels: Option<OneOrMany>,
    #[serde(default)]
    revisions: Revisions,
    revision_column: Option<Field>,
    #[serde(default)]
    unknown: UnknownRules,
    expect: Option<Expectation>,
    columns: SalesColumns,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Decimal {
    Point,
    Comma,
}

/// One value or a list of them.
struct OneOrMany(Vec<Field>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> serde::de::Visitor<'de> for Fields {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the name of a column, or a list of columns")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<OneOrMany, E> {
                let name = serde::de::IntoDeserializer::<E>::into_deserializer(name);
                Field::deserialize(name).map(|field| OneOrMany(vec![field]))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<OneOrMany, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = list.next_element()? {
                    fields.push(field);
                }
                Ok(OneOrMany(fields))
            }
        }
        deserializer.deserialize_any(Fields)
    }
}

impl ImportMap {
    /// Reads a map from a file.
    ///
    /// # Errors
    /// `InvalidInput` when the file cannot be read or is no map; the message names the file, the line and the key.
    pub fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .map_err(|cause| Error::invalid("map cannot be read").with("file", path.display()).caused_by(cause))?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Reads a map; `name` is the file's name, for messages.
    ///
    /// # Errors
    /// `InvalidInput` when the text is no map; the message names the file, the line and the key.
    pub fn parse(text: &str, name: &str) -> Result<Self> {
        let head: Head = from_toml(text, name)?;
        match head.kind {
            Kind::Sales => sales(from_toml(text, name)?),
            Kind::Agents => plain(from_toml(text, name)?, |columns: &AgentColumns| {
                let (team, branch) = (columns.team.is_some(), columns.branch.is_some());
                if columns.from.is_some() != team || team != branch {
                    return Err("an assignment needs all of `team`, `branch` and `from` in [columns]");
                }
                Ok(Content::Agents(columns.clone()))
            }),
            Kind::Products => plain(from_toml(text, name)?, |columns: &ProductColumns| {
                if columns.target.is_some() != columns.target_period.is_some() {
                    return Err("`target` and `target_period` in [columns] belong together");
                }
                Ok(Content::Products(columns.clone()))
            }),
            Kind::Targets => {
                plain(from_toml(text, name)?, |columns: &TargetColumns| Ok(Content::Targets(columns.clone())))
            }
            Kind::Assignments => {
                plain(from_toml(text, name)?, |columns: &AssignmentColumns| Ok(Content::Assignments(columns.clone())))
            }
            Kind::Teams => plain(from_toml(text, name)?, |columns: &TeamColumns| Ok(Content::Teams(columns.clone()))),
            Kind::Branches => {
                plain(from_toml(text, name)?, |columns: &BranchColumns| Ok(Content::Branches(columns.clone())))
            }
        }
        .and_then(|map| map.checked())
        .map_err(|message| Error::invalid(message).with("map", name))
    }

    fn checked(self) -> Result<Self, String> {
        if self.expect.as_ref().is_some_and(|expect| expect.sum.is_some()) && !self.content.has_amounts() {
            return Err("`sum` in [expect] has no meaning for rows without an amount".to_owned());
        }
        Ok(self)
    }
}

fn from_toml<T: DeserializeOwned>(text: &str, name: &str) -> Result<T> {
    toml::from_str(text).map_err(|cause: toml::de::Error| {
        let before = cause.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = 1 + before.bytes().filter(|byte| *byte == b'\n').count();
        Error::invalid("map is not understood").with("map", name).with("line", line).caused_by(cause)
    })
}

fn plain<C>(file: PlainFile<C>, content: impl Fn(&C) -> Result<Content, &'static str>) -> Result<ImportMap, String> {
    Ok(ImportMap {
        format: file.format,
        delimiter: delimiter(file.delimiter.as_deref())?,
        numbers: numbers(file.decimal, file.grouping.as_deref())?,
        unknown: file.unknown,
        expect: file.expect,
        content: content(&file.columns)?,
    })
}

fn sales(file: SalesFile) -> Result<ImportMap, String> {
    if file.reference.0.is_empty() {
        return Err("`reference` names no column".to_owned());
    }
    match (file.revisions, file.revision_column.is_some()) {
        (Revisions::Column, false) => return Err("`revisions = \"column\"` needs `revision_column`".to_owned()),
        (Revisions::Snapshot | Revisions::None, true) => {
            return Err("`revision_column` needs `revisions = \"column\"`".to_owned());
        }
        _ => {}
    }
    let map = SalesMap {
        source: Source::new("source", &file.source).map_err(|error| error.to_string())?,
        reference: file.reference.0,
        cancels: file.cancels.map(|cancels| cancels.0).unwrap_or_default(),
        revisions: file.revisions,
        revision: file.revision_column,
        columns: file.columns,
    };
    Ok(ImportMap {
        format: file.format,
        delimiter: delimiter(file.delimiter.as_deref())?,
        numbers: numbers(file.decimal, file.grouping.as_deref())?,
        unknown: file.unknown,
        expect: file.expect,
        content: Content::Sales(Box::new(map)),
    })
}

fn delimiter(text: Option<&str>) -> Result<u8, String> {
    match text.map(str::as_bytes) {
        None => Ok(b','),
        Some([byte]) if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !matches!(byte, b'"' | b'\n' | b'\r') => {
            Ok(*byte)
        }
        Some(_) => Err("`delimiter` is not one ASCII character that may stand between values".to_owned()),
    }
}

fn numbers(decimal: Option<Decimal>, grouping: Option<&str>) -> Result<NumberForm, String> {
    let decimal = match decimal {
        None | Some(Decimal::Point) => '.',
        Some(Decimal::Comma) => ',',
    };
    let mut characters = grouping.unwrap_or_default().chars();
    let form = NumberForm { decimal, grouping: characters.next() };
    let clash =
        form.grouping.is_some_and(|mark| mark == decimal || mark.is_alphanumeric() || matches!(mark, '-' | '+'));
    if clash || characters.next().is_some() || grouping == Some("") {
        return Err("`grouping` is not one character, or one that numbers have another use for".to_owned());
    }
    Ok(form)
}
