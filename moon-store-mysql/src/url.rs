//! Where a server is, by URL.

use moon_core::{Error, Result};
use mysql_async::{Opts, OptsBuilder, SslOpts};

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
    options: OptsBuilder,
    pub(crate) encryption: Encryption,
    /// PEM; those of the driver, which browsers trust, otherwise.
    root_certificates: Option<Vec<u8>>,
    /// Host, port and database, for messages.
    pub(crate) name: String,
}

impl Target {
    /// How the driver connects, encrypted or not.
    pub(crate) fn options(&self, encrypted: bool) -> OptsBuilder {
        let options = self.options.clone();
        if !encrypted {
            return options.ssl_opts(None);
        }
        let unchecked = self.encryption == Encryption::Preferred;
        let mut tls = SslOpts::default()
            .with_danger_accept_invalid_certs(unchecked)
            .with_danger_skip_domain_validation(unchecked);
        if let Some(certificates) = &self.root_certificates {
            tls = tls.with_root_certs(vec![certificates.clone().into()]).with_disable_built_in_roots(true);
        }
        options.ssl_opts(tls)
    }
}

const FORM: &str = "mysql://USER:PASSWORD@HOST:PORT/DATABASE?ssl-mode=verify-identity";

/// Takes a URL apart.
///
/// Nothing of the URL goes into an error but the names of unknown parameters: it may hold a password.
pub(crate) fn parse(url: &str) -> Result<Target> {
    let fault = || Error::invalid(format!("database URL is not of the form {FORM}"));
    let (scheme, rest) = url.split_once("://").ok_or_else(fault)?;
    if !["mysql", "mariadb"].contains(&scheme) {
        return Err(fault());
    }
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (mut encryption, mut root_certificates, mut socket) = (Encryption::Preferred, None, None);
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.split_once('=').ok_or_else(fault)? {
            ("ssl-mode", mode) => encryption = encryption_of(mode)?,
            ("ssl-ca", file) => root_certificates = Some(certificates(&decoded(file)?)?),
            ("socket", file) => socket = Some(decoded(file)?),
            (name, _) => {
                let error = Error::invalid("database URL has a parameter other than ssl-mode, ssl-ca and socket");
                return Err(error.with("parameter", name));
            }
        }
    }
    let parsed = Opts::from_url(&format!("mysql://{address}")).map_err(|_| fault())?;
    let database = parsed.db_name().unwrap_or_default().to_owned();
    if database.is_empty() || parsed.ip_or_hostname().is_empty() {
        return Err(fault());
    }
    let place = socket.clone().unwrap_or_else(|| format!("{}:{}", parsed.ip_or_hostname(), parsed.tcp_port()));
    // A client that was told of a port should use it, and not look for a socket by itself.
    let options = OptsBuilder::from_opts(parsed).prefer_socket(socket.is_some()).socket(socket);
    Ok(Target { options, encryption, root_certificates, name: format!("{place}/{database}") })
}

fn encryption_of(mode: &str) -> Result<Encryption> {
    match mode.to_ascii_lowercase().replace('_', "-").as_str() {
        "disabled" => Ok(Encryption::Disabled),
        "preferred" => Ok(Encryption::Preferred),
        "required" | "verify-identity" => Ok(Encryption::Required),
        _ => Err(Error::invalid("ssl-mode is not one of disabled, preferred, required, verify-identity")
            .with("ssl-mode", mode)),
    }
}

/// The certificates of a file.
fn certificates(file: &str) -> Result<Vec<u8>> {
    let content = std::fs::read(file)
        .map_err(|cause| Error::invalid("root certificates cannot be read").with("ssl-ca", file).caused_by(cause))?;
    let begin = b"-----BEGIN CERTIFICATE-----";
    if content.windows(begin.len()).any(|window| window == begin) {
        return Ok(content);
    }
    Err(Error::invalid("the file of root certificates holds none").with("ssl-ca", file))
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

    #[test]
    fn a_url_is_taken_apart() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/tls/authority.pem").replace('/', "%2F");
        let target = parse(&format!("mysql://u:s%23cret@h:6000/db?ssl-mode=VERIFY_IDENTITY&ssl-ca={file}")).unwrap();
        assert_eq!((target.name.as_str(), target.encryption), ("h:6000/db", Encryption::Required));
        let options = Opts::from(target.options(true));
        assert_eq!((options.user(), options.pass(), options.db_name()), (Some("u"), Some("s#cret"), Some("db")));
        let tls = options.ssl_opts().unwrap();
        assert!(!tls.accept_invalid_certs() && !tls.skip_domain_validation() && tls.disable_built_in_roots());
        assert!(Opts::from(target.options(false)).ssl_opts().is_none());
    }

    #[test]
    fn the_default_is_a_preferred_encryption_over_the_named_port() {
        let target = parse("mariadb://root@localhost/db").unwrap();
        assert_eq!((target.encryption, target.name.as_str()), (Encryption::Preferred, "localhost:3306/db"));
        assert!(!Opts::from(target.options(true)).prefer_socket());
        let target = parse("mysql://root@localhost/db?socket=%2Frun/s&ssl-mode=disabled").unwrap();
        assert_eq!(target.name, "/run/s/db");
        assert_eq!(Opts::from(target.options(false)).socket(), Some("/run/s"));
    }

    #[test]
    fn a_bad_url_is_refused_without_its_password() {
        for url in [
            "postgres://u:hunter2@h/db",
            "mysql:hunter2",
            "mysql://u:hunter2@h:port/db",
            "mysql://u:hunter2@h/db?ssl-mode=maybe",
            "mysql://u:hunter2@h/db?nonsense=1",
            "mysql://u:hunter2@h/db?ssl-ca=%zz",
            "mysql://u:hunter2@h/",
            "mysql://",
        ] {
            let error = parse(url).err().unwrap();
            assert_eq!(error.kind(), moon_core::ErrorKind::InvalidInput, "{url}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
