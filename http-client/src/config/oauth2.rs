//! What a token is asked for with.

use std::path::PathBuf;

use super::{ProxyConfig, Secret, TlsConfig};
use crate::Error;

/// OAuth 2 with client credentials (RFC 6749, section 4.4): `Authorization: Bearer <token>`, with a token that is asked for
/// when the first request is sent, used until ten seconds before it expires, and renewed when a server answers 401.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OAuth2 {
    /// The client's identifier.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Option<Secret>,
    /// A file with the secret, read whenever a token is asked for; white space at its ends is left out.
    pub client_secret_file: Option<PathBuf>,
    /// What the token is to be good for.
    pub scopes: Vec<String>,
    /// Where tokens are had: an `http` or `https` URL.
    pub token_url: String,
    /// Further parameters of the request for a token.
    pub endpoint_params: Vec<(String, String)>,
    /// TLS options of that request.
    pub tls: TlsConfig,
    /// The proxy of that request.
    pub proxy: ProxyConfig,
}

impl OAuth2 {
    pub(crate) fn validate(&self) -> Result<(), Error> {
        if self.client_id.is_empty() {
            return Err(Error::config("oauth2 client_id must be configured"));
        }
        if self.token_url.is_empty() {
            return Err(Error::config("oauth2 token_url must be configured"));
        }
        if self.client_secret.is_some() && self.client_secret_file.is_some() {
            return Err(Error::config(
                "at most one of oauth2 client_secret and client_secret_file must be configured",
            ));
        }
        if let Some(problem) = self.tls.problem() {
            return Err(Error::config(format!("oauth2: {problem}")));
        }
        self.proxy.validate()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(oauth2: &OAuth2, message: &str) {
        assert_eq!(oauth2.validate().unwrap_err().to_string(), message);
    }

    #[test]
    fn what_must_be_there() {
        let mut oauth2 = OAuth2::default();
        refused(&oauth2, "oauth2 client_id must be configured");
        oauth2.client_id = "ann".into();
        refused(&oauth2, "oauth2 token_url must be configured");
        oauth2.token_url = "https://id.example/token".into();
        oauth2.validate().unwrap();
        oauth2.client_secret = Some("hunter2".into());
        oauth2.validate().unwrap();
        assert!(!format!("{oauth2:?}").contains("hunter2"));
        oauth2.client_secret_file = Some("/s".into());
        refused(
            &oauth2,
            "at most one of oauth2 client_secret and client_secret_file must be configured",
        );
    }
}
