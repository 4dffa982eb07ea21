//! Where a server is, by URL.

use std::path::PathBuf;

use moon_core::{Error, Result};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// Whether a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// Never.
    Disabled,
    /// If the server offers it; its certificate is not checked.
    Preferred,
    /// Always, and the certificate must be trusted and bear the host's name.
    Required,
}

/// A server, a database and how to reach them. It holds the password, and has no `Debug`.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) config: Config,
    pub(crate) encryption: Encryption,
    pub(crate) root_certificates: Option<PathBuf>,
    /// Hosts, ports and database, for messages.
    pub(crate) name: String,
}

/// Takes a URL apart. `schemes` are those that the caller serves.
///
/// Nothing of the URL goes into an error but the names of unknown parameters: it may hold a password.
pub(crate) fn parse(url: &str, schemes: &[&str]) -> Result<Target> {
    let form = "postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full";
    let fault = || Error::invalid(format!("database URL is not of the form {form}"));
    let (scheme, rest) = url.split_once("://").ok_or_else(fault)?;
    if !schemes.contains(&scheme) {
        return Err(fault().with("schemes", schemes.join(", ")));
    }
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (mut encryption, mut root_certificates, mut passed) = (Encryption::Preferred, None, Vec::new());
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.split_once('=').ok_or_else(fault)? {
            ("sslmode", mode) => encryption = encryption_of(mode)?,
            ("sslrootcert", file) => root_certificates = Some(PathBuf::from(decoded(file)?)),
            _ => passed.push(parameter),
        }
    }
    let plain = format!("postgres://{address}{}{}", if passed.is_empty() { "" } else { "?" }, passed.join("&"));
    let mut config: Config = plain.parse().map_err(|cause: tokio_postgres::Error| fault().caused_by(cause))?;
    config.ssl_mode(match encryption {
        Encryption::Disabled => SslMode::Disable,
        Encryption::Preferred => SslMode::Prefer,
        Encryption::Required => SslMode::Require,
    });
    if config.get_hosts().is_empty() {
        return Err(fault());
    }
    if config.get_application_name().is_none() {
        config.application_name("moon");
    }
    let name = name_of(&config);
    Ok(Target { config, encryption, root_certificates, name })
}

fn encryption_of(mode: &str) -> Result<Encryption> {
    match mode {
        "disable" => Ok(Encryption::Disabled),
        "prefer" => Ok(Encryption::Preferred),
        "require" | "verify-full" => Ok(Encryption::Required),
        _ => Err(Error::invalid("sslmode is not one of disable, prefer, require, verify-full").with("sslmode", mode)),
    }
}

/// `host:port/database`, several hosts joined by commas.
fn name_of(config: &Config) -> String {
    let ports = config.get_ports();
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .enumerate()
        .map(|(index, host)| {
            let port = ports.get(index).or_else(|| ports.first()).copied().unwrap_or(5432);
            match host {
                Host::Tcp(name) => format!("{name}:{port}"),
                #[cfg(unix)]
                Host::Unix(path) => format!("{}:{port}", path.display()),
            }
        })
        .collect();
    format!("{}/{}", hosts.join(","), config.get_dbname().or(config.get_user()).unwrap_or_default())
}

/// Percent-decodes a parameter.
fn decoded(text: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next().unwrap_or(b'?'), rest.next().unwrap_or(b'?')];
        let value = std::str::from_utf8(&digits).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(value.ok_or_else(|| Error::invalid("parameter of the database URL is badly encoded"))?);
    }
    String::from_utf8(bytes).map_err(|_| Error::invalid("parameter of the database URL is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Result<Target> {
        parse(url, &["postgres", "postgresql"])
    }

    #[test]
    fn a_url_is_taken_apart() {
        let target =
            target("postgres://u:s%23cret@h:6000/db?sslmode=verify-full&sslrootcert=%2Fetc/ca.pem&application_name=x")
                .unwrap();
        assert_eq!(target.name, "h:6000/db");
        assert_eq!(target.encryption, Encryption::Required);
        assert_eq!(target.root_certificates, Some(PathBuf::from("/etc/ca.pem")));
        assert_eq!(target.config.get_password(), Some("s#cret".as_bytes()));
        assert_eq!(target.config.get_application_name(), Some("x"));
    }

    #[test]
    fn the_defaults_are_a_preferred_encryption_and_our_name() {
        let target = target("postgresql://localhost/db").unwrap();
        assert_eq!((target.encryption, target.name.as_str()), (Encryption::Preferred, "localhost:5432/db"));
        assert_eq!(target.config.get_application_name(), Some("moon"));
    }

    #[test]
    fn a_bad_url_is_refused_without_its_password() {
        for url in [
            "mysql://u:hunter2@h/db",
            "postgres:hunter2",
            "postgres://u:hunter2@h:port/db",
            "postgres://u:hunter2@h/db?sslmode=verify-ca",
            "postgres://u:hunter2@h/db?nonsense=1",
            "postgres://",
        ] {
            let error = target(url).err().unwrap();
            assert_eq!(error.kind(), moon_core::ErrorKind::InvalidInput, "{url}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
