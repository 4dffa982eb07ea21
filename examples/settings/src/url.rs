//! Where a store or a warehouse lives.

use std::fmt;
use std::str::FromStr;

use moon_core::{Error, ErrorKind, Result};

use crate::exit::HINT;

/// What stands in place of a secret.
const HIDDEN: &str = "***";

/// Query parameters whose names contain one of these hold secrets.
const SECRET_PARAMETERS: [&str; 5] = ["password", "passwd", "pwd", "secret", "token"];

/// The backends that are built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Backend {
    /// `memory:`, gone when the program ends.
    Memory,
    /// `sqlite:FILE`.
    Sqlite,
    /// `mysql://` or `mariadb://`.
    Mysql,
    /// `postgres://` or `postgresql://`.
    Postgres,
    /// `redshift://`, a warehouse only.
    Redshift,
}

/// What the URL of a store looks like, and that of a warehouse.
const STORE_FORMS: &str =
    "a store is memory:, sqlite:FILE, mysql://USER:PASSWORD@HOST/DATABASE or postgres://USER:PASSWORD@HOST/DATABASE";

impl Backend {
    /// Whether the ledger can be kept there.
    #[must_use]
    pub fn keeps_ledgers(self) -> bool {
        self != Self::Redshift
    }
}

/// The URL of a store or a warehouse. `Display` and `Debug` hide passwords; only [`expose`](Self::expose) shows them.
///
/// ```
/// use moon_settings::{Backend, StoreUrl};
///
/// let url: StoreUrl = "sqlite:moon.db".parse()?;
/// assert_eq!(url.backend(), Backend::Sqlite);
/// # Ok::<(), moon_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct StoreUrl {
    text: String,
    backend: Backend,
}

impl StoreUrl {
    /// The backend that it names.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// The whole text, for the driver alone.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl FromStr for StoreUrl {
    type Err = Error;

    /// # Errors
    /// `InvalidInput` for what names no backend. Whether the rest is right, the backend tells when it connects.
    fn from_str(text: &str) -> Result<Self> {
        let unknown =
            |hint: &str| Err(Error::invalid("URL names no known backend").with("url", redact(text)).with(HINT, hint));
        let Some((scheme, rest)) = text.split_once(':') else { return unknown(STORE_FORMS) };
        let server = |backend| match rest.strip_prefix("//") {
            Some(address) if !address.is_empty() => Ok(backend),
            _ => Err(Error::invalid("URL names no server")
                .with("url", redact(text))
                .with(HINT, format_args!("it has the form {scheme}://USER:PASSWORD@HOST:PORT/DATABASE"))),
        };
        let backend = match scheme {
            "memory" if rest.is_empty() => Backend::Memory,
            "memory" => return unknown("memory: takes nothing behind it"),
            "sqlite" if rest.trim_start_matches('/').is_empty() => {
                return unknown("sqlite: takes a file, such as sqlite:moon.db");
            }
            "sqlite" if rest.starts_with(":memory:") => return unknown("a store in memory is memory:"),
            "sqlite" => Backend::Sqlite,
            "mysql" | "mariadb" => server(Backend::Mysql)?,
            "postgres" | "postgresql" => server(Backend::Postgres)?,
            "redshift" => server(Backend::Redshift)?,
            _ => return unknown(STORE_FORMS),
        };
        Ok(Self { text: text.to_owned(), backend })
    }
}

/// The URL of a place where the ledger can be kept.
///
/// # Errors
/// As for [`StoreUrl`]; [`no_ledger`] for a backend that keeps none.
pub(crate) fn store_url(text: &str) -> Result<StoreUrl> {
    let url: StoreUrl = text.parse()?;
    if url.backend().keeps_ledgers() { Ok(url) } else { Err(no_ledger(&url)) }
}

/// `Unsupported`: a backend is a warehouse, and keeps no ledger.
pub(crate) fn no_ledger(url: &StoreUrl) -> Error {
    Error::new(ErrorKind::Unsupported, "URL names a backend that is a warehouse, and keeps no ledger")
        .with("url", url)
        .with(HINT, STORE_FORMS)
        .with(HINT, "the warehouse is named by MOON_WAREHOUSE_URL or --warehouse-url")
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redact(&self.text))
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&redact(&self.text), f)
    }
}

/// A URL without its secrets: the password before the last `@`, also one with unescaped signs in it, and the values of
/// parameters that are secret by their names. It hides too much rather than too little.
pub(crate) fn redact(url: &str) -> String {
    let (scheme, rest) = url.split_at(url.find("://").map_or(0, |colon| colon + 3));
    let (user, rest) = match rest.rsplit_once('@') {
        Some((user, rest)) => {
            let user = user.split_once(':').map_or(user.to_owned(), |(name, _)| format!("{name}:{HIDDEN}"));
            (format!("{user}@"), rest)
        }
        None => (String::new(), rest),
    };
    let Some((path, query)) = rest.split_once('?') else { return format!("{scheme}{user}{rest}") };
    let parameters: Vec<String> = query.split('&').map(redact_parameter).collect();
    format!("{scheme}{user}{path}?{}", parameters.join("&"))
}

fn redact_parameter(parameter: &str) -> String {
    let Some((name, _)) = parameter.split_once('=') else { return parameter.to_owned() };
    let lower = name.to_ascii_lowercase();
    if SECRET_PARAMETERS.iter().any(|secret| lower.contains(secret)) {
        format!("{name}={HIDDEN}")
    } else {
        parameter.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_names_its_backend() {
        for (text, backend) in [
            ("memory:", Backend::Memory),
            ("sqlite:moon.db", Backend::Sqlite),
            ("sqlite:///var/lib/moon/moon.db", Backend::Sqlite),
            ("mysql://moon@db/moon", Backend::Mysql),
            ("mariadb://moon@db/moon", Backend::Mysql),
            ("postgres://moon@db/moon?sslmode=require", Backend::Postgres),
            ("postgresql://db/moon", Backend::Postgres),
            ("redshift://moon@cluster:5439/moon", Backend::Redshift),
        ] {
            let url: StoreUrl = text.parse().unwrap();
            assert_eq!((url.backend(), url.expose()), (backend, text));
        }
    }

    #[test]
    fn every_backend_but_redshift_keeps_ledgers() {
        for url in ["memory:", "sqlite:moon.db", "mysql://me@db/moon", "postgres://db/moon"] {
            assert_eq!(store_url(url).unwrap().expose(), url);
        }
        let error = store_url("redshift://me:geheim@cluster/moon").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("--warehouse-url") && !error.to_string().contains("geheim"), "{error}");
    }

    #[test]
    fn what_names_no_backend_is_refused() {
        for text in
            ["", "moon.db", "memory", "memory:x", "sqlite:", "sqlite://", "sqlite::memory:", "oracle:x", "SQLITE:x"]
                .into_iter()
                .chain(["postgres:", "postgres://", "mysql:me:geheim@db/moon", "redshift:/cluster"])
        {
            assert_eq!(text.parse::<StoreUrl>().unwrap_err().kind(), ErrorKind::InvalidInput, "{text:?}");
        }
    }

    #[test]
    fn passwords_are_hidden_also_malformed_ones() {
        for (url, shown) in [
            ("mysql://me:geheim@db/moon", "mysql://me:***@db/moon"),
            ("mysql://me:ge@he/im@db/moon", "mysql://me:***@db/moon"),
            ("mysql://me:ge?he=im@db/moon", "mysql://me:***@db/moon"),
            ("mysql:me:geheim@db/moon", "mysql:***@db/moon"),
            ("me:geheim@db/moon", "me:***@db/moon"),
            ("postgres://me@db/moon?sslmode=require", "postgres://me@db/moon?sslmode=require"),
            ("postgres://db/moon?user=me&Password=geheim&x", "postgres://db/moon?user=me&Password=***&x"),
            ("sqlite:moon.db", "sqlite:moon.db"),
            ("moon.db", "moon.db"),
        ] {
            assert_eq!(redact(url), shown);
        }
    }
}
