//! The address of a Pushgateway.

use std::fmt;
use std::str::FromStr;

use moon_core::{Error, Result};

use crate::exit::HINT;
use crate::url::redact;

/// The URL of a Pushgateway, `http://` or `https://`, without a slash at its end. `Display` and `Debug` hide passwords; only
/// [`expose`](Self::expose) shows them.
#[derive(Clone, PartialEq, Eq)]
pub struct PushGatewayUrl(String);

impl PushGatewayUrl {
    /// The whole text, for the client alone.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for PushGatewayUrl {
    type Err = Error;

    /// # Errors
    /// `InvalidInput` for what is no such URL.
    fn from_str(text: &str) -> Result<Self> {
        let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        if host.is_none_or(|host| host.is_empty() || host.starts_with('/') || host.contains(char::is_whitespace)) {
            return Err(Error::invalid("URL names no Pushgateway")
                .with("url", redact(text))
                .with(HINT, "it has the form http://HOST:9091"));
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

impl fmt::Display for PushGatewayUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redact(&self.0))
    }
}

impl fmt::Debug for PushGatewayUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&redact(&self.0), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_addresses_only_and_no_password_shows() {
        let url: PushGatewayUrl = "https://me:geheim@gateway/base/".parse().unwrap();
        assert_eq!(url.expose(), "https://me:geheim@gateway/base");
        assert_eq!(format!("{url} {url:?}"), "https://me:***@gateway/base \"https://me:***@gateway/base\"");
        for bad in ["", "gateway:9091", "ftp://gateway", "http://", "http:///path", "http://a b"] {
            assert!(bad.parse::<PushGatewayUrl>().is_err(), "{bad:?}");
        }
    }
}
