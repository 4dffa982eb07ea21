//! One value of a row: which column it comes from and what its texts mean.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

use crate::value::DateForm;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The column of this name.
    Column(String),
    /// The same for every row.
    Constant(String),
}

/// One value of a row. In a map it is the name of a column, or a table with more to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Where it comes from.
    pub origin: Origin,
    /// Texts that mean that there is no value, beside the empty one.
    pub missing: Vec<String>,
    /// Whether a run of blanks inside counts as one blank. Blanks at the ends never count.
    pub collapse_blanks: bool,
    /// What a text stands for; a text that is not named stands for itself.
    pub values: BTreeMap<String, String>,
}

/// A date, with the form in which it is written (ISO unless told).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateField {
    /// Where the text comes from.
    pub field: Field,
    /// How it is to be read.
    pub form: DateForm,
}

impl Field {
    fn column(name: String) -> Self {
        Self { origin: Origin::Column(name), missing: Vec::new(), collapse_blanks: false, values: BTreeMap::new() }
    }

    /// The column, or what stands in for one in messages.
    #[must_use]
    pub fn label(&self) -> &str {
        match &self.origin {
            Origin::Column(name) => name,
            Origin::Constant(_) => "(constant)",
        }
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldTable {
    column: Option<String>,
    constant: Option<String>,
    #[serde(default)]
    missing: Vec<String>,
    #[serde(default)]
    collapse_blanks: bool,
    #[serde(default)]
    values: BTreeMap<String, String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct DateTable {
    column: Option<String>,
    constant: Option<String>,
    #[serde(default)]
    missing: Vec<String>,
    #[serde(default)]
    values: BTreeMap<String, String>,
    form: Option<String>,
    month_day: Option<String>,
}

fn origin(column: Option<String>, constant: Option<String>) -> Result<Origin, String> {
    match (column, constant) {
        (Some(column), None) => Ok(Origin::Column(column)),
        (None, Some(constant)) => Ok(Origin::Constant(constant)),
        (None, None) => Err("name either `column` or `constant`".to_owned()),
        (Some(_), Some(_)) => Err("`column` and `constant` exclude each other".to_owned()),
    }
}

impl TryFrom<FieldTable> for Field {
    type Error = String;

    fn try_from(table: FieldTable) -> Result<Self, String> {
        Ok(Self {
            origin: origin(table.column, table.constant)?,
            missing: table.missing,
            collapse_blanks: table.collapse_blanks,
            values: table.values,
        })
    }
}

impl TryFrom<DateTable> for DateField {
    type Error = String;

    fn try_from(table: DateTable) -> Result<Self, String> {
        let form = DateForm::from_names(table.form.as_deref(), table.month_day.as_deref())?;
        let field = Field {
            origin: origin(table.column, table.constant)?,
            missing: table.missing,
            collapse_blanks: false,
            values: table.values,
        };
        Ok(Self { field, form })
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShortOrTable::<FieldTable, Self> { short: Self::column, table: PhantomData })
    }
}

impl<'de> Deserialize<'de> for DateField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let short = |name| Self { field: Field::column(name), form: DateForm::Iso };
        deserializer.deserialize_any(ShortOrTable::<DateTable, Self> { short, table: PhantomData })
    }
}

/// Reads the name of a column, or a table. By hand rather than untagged, which would lose where in the file a fault is.
struct ShortOrTable<T, V> {
    short: fn(String) -> V,
    table: PhantomData<T>,
}

impl<'de, T, V> Visitor<'de> for ShortOrTable<T, V>
where
    T: Deserialize<'de>,
    V: TryFrom<T, Error = String>,
{
    type Value = V;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a column, or a table with `column` or `constant`")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<V, E> {
        Ok((self.short)(name.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V, A::Error> {
        let table = T::deserialize(MapAccessDeserializer::new(map))?;
        V::try_from(table).map_err(A::Error::custom)
    }
}
