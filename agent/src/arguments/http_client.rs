//! The arguments of every HTTP client: credentials, TLS, redirects.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ferroalloy_http_client as http_client;
use river_syntax::{Block, Secret};

use super::choice;

/// How to reach an HTTP server. Flattened into the block that needs it.
#[derive(Debug, Clone, PartialEq, Block)]
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
    /// User name and password.
    #[river(block)]
    basic_auth: Option<BasicAuth>,
    /// An `Authorization` header.
    #[river(block)]
    authorization: Option<Authorization>,
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

/// TLS.
#[derive(Debug, Clone, PartialEq, Block)]
struct Tls {
    /// Certificates to trust instead of the system's.
    ca_pem: Option<String>,
    /// A file with them.
    ca_file: Option<String>,
    /// The client's certificate.
    cert_pem: Option<String>,
    /// A file with it.
    cert_file: Option<String>,
    /// The client's key.
    key_pem: Option<Secret>,
    /// A file with it.
    key_file: Option<String>,
    /// The name that the server's certificate must have, where it is not the host's.
    server_name: Option<String>,
    /// Whether any certificate will do.
    #[river(default)]
    insecure_skip_verify: bool,
    /// The oldest TLS version to speak.
    min_version: Option<TlsVersion>,
}

choice! {
    /// Versions of TLS.
    enum TlsVersion {
        /// 1.0 or later; versions below 1.2 are never spoken.
        Tls10 = "TLS10",
        /// 1.1 or later.
        Tls11 = "TLS11",
        /// 1.2 or later.
        Tls12 = "TLS12",
        /// 1.3.
        Tls13 = "TLS13",
    }
}

impl HttpClient {
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
            http_headers: self
                .http_headers
                .iter()
                .map(|(name, values)| (name.clone(), values.iter().map(secret).collect()))
                .collect(),
            tls: self
                .tls_config
                .as_ref()
                .map_or_else(http_client::TlsConfig::default, Tls::config),
            follow_redirects: self.follow_redirects.into(),
            enable_http2,
        }
    }
}

impl Tls {
    fn config(&self) -> http_client::TlsConfig {
        http_client::TlsConfig {
            ca_pem: self.ca_pem.clone(),
            ca_file: path(self.ca_file.as_ref()),
            cert_pem: self.cert_pem.clone(),
            cert_file: path(self.cert_file.as_ref()),
            key_pem: self.key_pem.as_ref().map(secret),
            key_file: path(self.key_file.as_ref()),
            server_name: self.server_name.clone(),
            insecure_skip_verify: self.insecure_skip_verify,
            min_version: self.min_version.map(|version| match version {
                TlsVersion::Tls10 => http_client::TlsVersion::Tls10,
                TlsVersion::Tls11 => http_client::TlsVersion::Tls11,
                TlsVersion::Tls12 => http_client::TlsVersion::Tls12,
                TlsVersion::Tls13 => http_client::TlsVersion::Tls13,
            }),
        }
    }
}

fn secret(secret: &Secret) -> http_client::Secret {
    http_client::Secret::from(secret.expose())
}

fn path(path: Option<&String>) -> Option<PathBuf> {
    path.map(PathBuf::from)
}
