//! The options of a client, as plain data, and the rules between them.
//!
//! Invariant: a `Config` prints without its secrets, and a client is only made from one that passed
//! [`Config::validate`].

mod oauth2;
mod proxy;
mod secret;
mod tls;

use std::path::PathBuf;

use http::{HeaderName, HeaderValue};

pub use self::oauth2::OAuth2;
pub use self::proxy::ProxyConfig;
pub use self::secret::Secret;
pub use self::tls::{TlsConfig, TlsVersion};
use crate::Error;

/// What a client is told once. The defaults are those of a scrape: no credentials, redirects followed, HTTP/2 offered.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `Authorization: Basic …`.
    pub basic_auth: Option<BasicAuth>,
    /// `Authorization: <type> <credentials>`.
    pub authorization: Option<Authorization>,
    /// `Authorization: Bearer <token>`; the older way to write `authorization`.
    pub bearer_token: Option<Secret>,
    /// The same, with the token read from a file at each request.
    pub bearer_token_file: Option<PathBuf>,
    /// `Authorization: Bearer <token>`, with a token that is asked for.
    pub oauth2: Option<OAuth2>,
    /// Headers added to each request, several values for one name allowed. They are not sent on when a redirect leads
    /// to another host.
    pub http_headers: Vec<(String, Vec<Secret>)>,
    /// TLS options, for `https` URLs.
    pub tls: TlsConfig,
    /// Which redirects are followed.
    pub follow_redirects: Redirects,
    /// Offer HTTP/2 when TLS is negotiated. Plain `http` is always HTTP/1.1.
    pub enable_http2: bool,
    /// Through which proxy servers are reached.
    pub proxy: ProxyConfig,
}

/// HTTP basic authentication (RFC 7617).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BasicAuth {
    /// The user's name, without a colon.
    pub username: String,
    /// The password.
    pub password: Option<Secret>,
    /// A file with the password, read at each request; white space at its ends is left out.
    pub password_file: Option<PathBuf>,
}

/// An `Authorization` header of any type but `Basic`.
#[derive(Clone, Debug, PartialEq)]
pub struct Authorization {
    /// The scheme, `Bearer` by default.
    pub kind: String,
    /// What follows it.
    pub credentials: Option<Secret>,
    /// A file with the credentials, read at each request; white space at its ends is left out.
    pub credentials_file: Option<PathBuf>,
}

/// Which redirects are followed, up to ten in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Redirects {
    /// None: the 3xx response is the response.
    Never,
    /// Those that stay on the host of the request; another one is an error.
    SameHost,
    /// All. Credentials and configured headers are left out once the host changes or TLS is given up.
    #[default]
    Any,
}

// === impl Config ===

impl Default for Config {
    fn default() -> Self {
        Self {
            basic_auth: None,
            authorization: None,
            bearer_token: None,
            bearer_token_file: None,
            oauth2: None,
            http_headers: Vec::new(),
            tls: TlsConfig::default(),
            follow_redirects: Redirects::Any,
            enable_http2: true,
            proxy: ProxyConfig::default(),
        }
    }
}

impl Config {
    /// Checks the rules between the options: one kind of authentication, one source for each secret, a certificate with
    /// its key, headers that HTTP allows. Files are not read.
    pub fn validate(&self) -> Result<(), Error> {
        self.validate_auth()?;
        if let Some(problem) = self.tls.problem() {
            return Err(Error::config(problem));
        }
        self.proxy.validate()?;
        if cfg!(not(feature = "tls")) && self.tls != TlsConfig::default() {
            return Err(Error::config(
                "TLS options are given, but this program was built without TLS",
            ));
        }
        self.headers().map(drop)
    }

    fn validate_auth(&self) -> Result<(), Error> {
        let kinds = [
            self.basic_auth.is_some(),
            self.authorization.is_some(),
            self.oauth2.is_some(),
            self.bearer_token.is_some(),
            self.bearer_token_file.is_some(),
        ];
        if kinds.into_iter().filter(|given| *given).count() > 1 {
            return Err(Error::config(
                "at most one of basic_auth, authorization, oauth2, bearer_token and bearer_token_file must be configured",
            ));
        }
        if let Some(basic) = &self.basic_auth {
            if basic.password.is_some() && basic.password_file.is_some() {
                return Err(Error::config(
                    "at most one of basic_auth password and password_file must be configured",
                ));
            }
            if basic.username.contains(':') {
                return Err(Error::config("basic_auth username must not contain a colon"));
            }
        }
        if let Some(authorization) = &self.authorization {
            if authorization.kind.trim().eq_ignore_ascii_case("basic") {
                return Err(Error::config(
                    "authorization type cannot be set to \"basic\", use basic_auth instead",
                ));
            }
            match (&authorization.credentials, &authorization.credentials_file) {
                (Some(_), Some(_)) => {
                    return Err(Error::config(
                        "at most one of authorization credentials and credentials_file must be configured",
                    ));
                }
                (None, None) => {
                    return Err(Error::config(
                        "authorization needs credentials or credentials_file",
                    ));
                }
                _ => {}
            }
        }
        self.oauth2.as_ref().map_or(Ok(()), OAuth2::validate)
    }

    /// The configured headers as HTTP has them.
    pub(crate) fn headers(&self) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
        const RESERVED: &[&str] = &[
            "authorization",
            "host",
            "content-length",
            "transfer-encoding",
            "connection",
            "proxy-authorization",
        ];
        headers("http_headers", &self.http_headers, RESERVED)
    }
}

/// Headers as HTTP has them. Those that the client sets itself are refused.
fn headers(
    option: &str,
    given: &[(String, Vec<Secret>)],
    reserved: &[&str],
) -> Result<Vec<(HeaderName, HeaderValue)>, Error> {
    let mut headers = Vec::new();
    for (name, values) in given {
        let parsed = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| Error::config(format!("{option}: {name:?} is not a header name")))?;
        if reserved.contains(&parsed.as_str()) {
            return Err(Error::config(format!(
                "{option}: setting header {name:?} is not allowed; use the option made for it"
            )));
        }
        for value in values {
            let mut value = HeaderValue::from_str(value.expose()).map_err(|_| {
                Error::config(format!(
                    "{option}: a value of {name:?} has characters that a header cannot hold"
                ))
            })?;
            value.set_sensitive(true);
            headers.push((parsed.clone(), value));
        }
    }
    Ok(headers)
}

// === impl Authorization ===

impl Default for Authorization {
    fn default() -> Self {
        Self {
            kind: "Bearer".to_owned(),
            credentials: None,
            credentials_file: None,
        }
    }
}

// === impl Redirects ===

impl From<bool> for Redirects {
    fn from(follow: bool) -> Self {
        if follow { Self::Any } else { Self::Never }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(config: &Config, message: &str) {
        assert_eq!(config.validate().unwrap_err().to_string(), message);
    }

    #[test]
    fn secrets_are_not_printed() {
        let config = Config {
            basic_auth: Some(BasicAuth {
                username: "u".into(),
                password: Some("hunter2".into()),
                password_file: None,
            }),
            http_headers: vec![("X-Key".into(), vec!["hunter2".into()])],
            ..Config::default()
        };
        assert!(!format!("{config:?}").contains("hunter2"));
        config.validate().unwrap();
    }

    #[test]
    fn one_kind_of_authentication() {
        let mut config = Config {
            bearer_token: Some("t".into()),
            ..Config::default()
        };
        config.validate().unwrap();
        config.basic_auth = Some(BasicAuth::default());
        refused(
            &config,
            "at most one of basic_auth, authorization, oauth2, bearer_token and bearer_token_file must be configured",
        );
    }

    #[test]
    fn authorization_is_not_basic_and_has_credentials() {
        let mut config = Config {
            authorization: Some(Authorization::default()),
            ..Config::default()
        };
        refused(&config, "authorization needs credentials or credentials_file");
        config.authorization = Some(Authorization {
            kind: " BASIC".into(),
            ..Authorization::default()
        });
        refused(
            &config,
            "authorization type cannot be set to \"basic\", use basic_auth instead",
        );
    }

    #[test]
    fn headers_are_checked() {
        let with = |name: &str, value: &str| Config {
            http_headers: vec![(name.into(), vec![value.into()])],
            ..Config::default()
        };
        with("X-Scope-OrgID", "team").validate().unwrap();
        refused(&with("X Y", "v"), "http_headers: \"X Y\" is not a header name");
        refused(
            &with("X-Y", "a\nb"),
            "http_headers: a value of \"X-Y\" has characters that a header cannot hold",
        );
        refused(
            &with("Host", "v"),
            "http_headers: setting header \"Host\" is not allowed; use the option made for it",
        );
    }

    #[cfg(feature = "tls")]
    #[test]
    fn a_certificate_has_a_key() {
        let mut config = Config::default();
        config.tls.cert_file = Some("c".into());
        refused(
            &config,
            "exactly one of key or key_file must be configured when a client certificate is configured",
        );
        config.tls.key_pem = Some("k".into());
        config.validate().unwrap();
        config.tls.key_file = Some("k".into());
        refused(&config, "at most one of key_pem and key_file must be configured");
    }
}
