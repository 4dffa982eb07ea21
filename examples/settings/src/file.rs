//! The settings file, `moon.toml`.

use std::fs;
use std::io::ErrorKind as IoErrorKind;
use std::path::{Path, PathBuf};

use moon_core::{Error, ErrorKind, Result};
use toml::{Table, Value};

use crate::exit::{HINT, SETTING};
use crate::resolve::Setting;

/// The values of a settings file. An absent file holds none.
#[derive(Default)]
pub(crate) struct File {
    path: PathBuf,
    values: Vec<(Setting, String)>,
}

impl File {
    /// Reads a file; `None` when there is none.
    ///
    /// # Errors
    /// `InvalidInput` when it is no TOML, has a key that nobody knows or a value of the wrong type.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == IoErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == IoErrorKind::InvalidData => {
                return Err(Error::invalid("settings file is not valid UTF-8").with(SETTING, path.display()));
            }
            Err(error) => {
                let kind = ErrorKind::Unavailable;
                return Err(Error::new(kind, "read the settings file").with("file", path.display()).caused_by(error));
            }
        };
        let table: Table = text.parse().map_err(|error| syntax_error(&error, &text, path))?;
        let values = table.iter().map(|(key, value)| entry(key, value).map_err(|error| located(error, key, path)));
        Ok(Some(Self { path: path.to_owned(), values: values.collect::<Result<_>>()? }))
    }

    /// The text of a setting and the name of its place.
    pub(crate) fn get(&self, setting: Setting) -> Option<(&str, String)> {
        let (_, text) = self.values.iter().find(|(known, _)| *known == setting)?;
        Some((text, format!("{} in {}", setting.name(), self.path.display())))
    }
}

/// A setting and its text.
fn entry(key: &str, value: &Value) -> Result<(Setting, String)> {
    let setting = Setting::ALL.into_iter().find(|setting| setting.name() == key).ok_or_else(|| {
        let known = Setting::ALL.map(Setting::name).join(", ");
        Error::invalid("settings file has an unknown key").with(HINT, format_args!("the keys are {known}"))
    })?;
    match (setting, value) {
        (_, Value::String(text)) => Ok((setting, text.clone())),
        (Setting::FiscalYearStart, Value::Integer(number)) => Ok((setting, number.to_string())),
        (Setting::FiscalYearStart, _) => Err(Error::invalid("value is not a number")),
        _ => Err(Error::invalid("value is not a text in quotes")),
    }
}

fn located(error: Error, key: &str, path: &Path) -> Error {
    error.with(SETTING, format_args!("{key} in {}", path.display()))
}

/// Says where and what, but does not quote the line as the parser's own message does: it may hold a password.
fn syntax_error(error: &toml::de::Error, text: &str, path: &Path) -> Error {
    let line = error.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
    let place = line.map_or_else(String::new, |line| format!(", line {line}"));
    Error::invalid(format!("settings file is not valid TOML: {}", error.message()))
        .with(SETTING, format_args!("{}{place}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<File>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("moon.toml");
        fs::write(&path, text).unwrap();
        File::read(&path)
    }

    fn refusal(text: &str) -> String {
        read(text).err().unwrap().to_string()
    }

    #[test]
    fn texts_and_a_number_are_read() {
        let file = read("currency = \"EUR\"\nfiscal_year_start = 4\n").unwrap().unwrap();
        assert_eq!(file.get(Setting::Currency).unwrap().0, "EUR");
        assert_eq!(file.get(Setting::FiscalYearStart).unwrap().0, "4");
        assert!(file.get(Setting::Log).is_none());
    }

    #[test]
    fn an_absent_file_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(File::read(&folder.path().join("moon.toml")).unwrap().is_none());
        assert_eq!(File::read(folder.path()).err().unwrap().kind(), ErrorKind::Unavailable);
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_known_ones() {
        let refusal = refusal("curency = \"EUR\"");
        assert!(refusal.starts_with("settings file has an unknown key"), "{refusal}");
        assert!(refusal.contains("curency in ") && refusal.contains("the keys are store_url, "), "{refusal}");
    }

    #[test]
    fn a_value_of_the_wrong_type_is_refused() {
        assert!(refusal("currency = 5").starts_with("value is not a text in quotes"));
        assert!(refusal("fiscal_year_start = true").starts_with("value is not a number"));
    }

    #[test]
    fn bad_syntax_names_the_line_and_quotes_nothing() {
        let refusal = refusal("log = \"info\"\nstore_url = \"mysql://me:geheim@db\n");
        assert!(refusal.contains("moon.toml, line 2"), "{refusal}");
        assert!(!refusal.contains("geheim"), "{refusal}");
    }
}
