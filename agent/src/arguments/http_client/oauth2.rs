//! The block `oauth2`.

use std::collections::BTreeMap;

use ferroalloy_http_client as http_client;
use river_syntax::{Block, Secret};

use super::proxy::ProxyArguments;
use super::tls::Tls;
use super::{path, secret, tls};

/// A token, had with client credentials and renewed before it ends or when it is refused.
#[derive(Debug, Clone, PartialEq, Block)]
pub(super) struct OAuth2 {
    /// The client's identifier.
    #[river(default)]
    client_id: String,
    /// Its secret.
    client_secret: Option<Secret>,
    /// A file with the secret, read whenever a token is asked for.
    client_secret_file: Option<String>,
    /// What the token is to be good for.
    #[river(default)]
    scopes: Vec<String>,
    /// Where tokens are had.
    #[river(default)]
    token_url: String,
    /// Further parameters of the request for a token.
    #[river(default)]
    endpoint_params: BTreeMap<String, String>,
    /// Through which proxy the token is asked for.
    #[river(flatten)]
    proxy: ProxyArguments,
    /// TLS of the request for a token.
    #[river(block)]
    tls_config: Option<Tls>,
}

impl OAuth2 {
    pub(super) fn config(&self) -> http_client::OAuth2 {
        let params = self.endpoint_params.iter();
        http_client::OAuth2 {
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.as_ref().map(secret),
            client_secret_file: path(self.client_secret_file.as_ref()),
            scopes: self.scopes.clone(),
            token_url: self.token_url.clone(),
            endpoint_params: params
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            tls: tls(self.tls_config.as_ref()),
            proxy: self.proxy.config(),
        }
    }
}
