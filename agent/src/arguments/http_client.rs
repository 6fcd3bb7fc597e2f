//! The arguments of every HTTP client: credentials, TLS, proxies, redirects.

mod oauth2;
mod proxy;
mod tls;

use std::collections::BTreeMap;
use std::path::PathBuf;

use ferroalloy_http_client as http_client;
use river_syntax::{Block, Invalid, Secret};

use self::oauth2::OAuth2;
use self::proxy::ProxyArguments;
use self::tls::Tls;

/// How to reach an HTTP server. Flattened into the block that needs it.
#[derive(Debug, Clone, PartialEq, Block)]
#[river(validate = HttpClient::validate)]
pub(crate) struct HttpClient {
    /// A bearer token.
    bearer_token: Option<Secret>,
    /// A file with a bearer token, read at each request.
    bearer_token_file: Option<String>,
    /// Whether redirects are followed.
    #[river(default = true)]
    follow_redirects: bool,
    /// Further headers.
    #[river(default)]
    http_headers: BTreeMap<String, Vec<Secret>>,
    /// Through which proxy.
    #[river(flatten)]
    proxy: ProxyArguments,
    /// User name and password.
    #[river(block)]
    basic_auth: Option<BasicAuth>,
    /// An `Authorization` header.
    #[river(block)]
    authorization: Option<Authorization>,
    /// A token, had with client credentials.
    #[river(block)]
    oauth2: Option<OAuth2>,
    /// TLS.
    #[river(block)]
    tls_config: Option<Tls>,
}

/// User name and password.
#[derive(Debug, Clone, PartialEq, Block)]
struct BasicAuth {
    /// The user name.
    #[river(default)]
    username: String,
    /// The password.
    password: Option<Secret>,
    /// A file with the password, read at each request.
    password_file: Option<String>,
}

/// An `Authorization` header.
#[derive(Debug, Clone, PartialEq, Block)]
struct Authorization {
    /// Its first word.
    #[river(name = "type", default = "Bearer".to_owned())]
    kind: String,
    /// Its rest.
    credentials: Option<Secret>,
    /// A file with its rest, read at each request.
    credentials_file: Option<String>,
}

impl HttpClient {
    /// The rules between the options, told at the block that has them.
    fn validate(&self) -> Result<(), Invalid> {
        let checked = self.config(true).validate();
        checked.map_err(|error| Invalid::block(crate::error::chain(&error)))
    }

    /// The client's options; `enable_http2` has another default in each component that has it.
    pub(crate) fn config(&self, enable_http2: bool) -> http_client::Config {
        http_client::Config {
            basic_auth: self.basic_auth.as_ref().map(|basic| http_client::BasicAuth {
                username: basic.username.clone(),
                password: basic.password.as_ref().map(secret),
                password_file: path(basic.password_file.as_ref()),
            }),
            authorization: self
                .authorization
                .as_ref()
                .map(|authorization| http_client::Authorization {
                    kind: authorization.kind.clone(),
                    credentials: authorization.credentials.as_ref().map(secret),
                    credentials_file: path(authorization.credentials_file.as_ref()),
                }),
            bearer_token: self.bearer_token.as_ref().map(secret),
            bearer_token_file: path(self.bearer_token_file.as_ref()),
            oauth2: self.oauth2.as_ref().map(OAuth2::config),
            http_headers: headers(&self.http_headers),
            tls: tls(self.tls_config.as_ref()),
            follow_redirects: self.follow_redirects.into(),
            enable_http2,
            proxy: self.proxy.config(),
        }
    }
}

fn secret(secret: &Secret) -> http_client::Secret {
    http_client::Secret::from(secret.expose())
}

fn path(path: Option<&String>) -> Option<PathBuf> {
    path.map(PathBuf::from)
}

fn headers(headers: &BTreeMap<String, Vec<Secret>>) -> Vec<(String, Vec<http_client::Secret>)> {
    let values = |values: &Vec<Secret>| values.iter().map(secret).collect();
    headers
        .iter()
        .map(|(name, given)| (name.clone(), values(given)))
        .collect()
}

fn tls(tls: Option<&Tls>) -> http_client::TlsConfig {
    tls.map_or_else(http_client::TlsConfig::default, Tls::config)
}
