//! Through which proxy a server is reached.

use std::collections::BTreeMap;

use ferroalloy_http_client as http_client;
use river_syntax::{Block, Secret};

use super::super::HttpUrl;
use super::headers;

/// Through which proxy a server is reached. Flattened into the block that needs it.
#[derive(Debug, Clone, PartialEq, Block)]
pub(super) struct ProxyArguments {
    /// The proxy: an http or https URL.
    proxy_url: Option<HttpUrl>,
    /// Names, addresses and networks that are reached without it, separated by commas.
    #[river(default)]
    no_proxy: String,
    /// Whether the proxies are those of HTTP_PROXY, HTTPS_PROXY and NO_PROXY in the environment.
    #[river(default)]
    proxy_from_environment: bool,
    /// Headers for the proxy, where it is asked for a tunnel.
    #[river(default)]
    proxy_connect_header: BTreeMap<String, Vec<Secret>>,
}

impl ProxyArguments {
    pub(super) fn config(&self) -> http_client::ProxyConfig {
        http_client::ProxyConfig {
            url: self.proxy_url.as_ref().map(|url| url.uri().clone()),
            no_proxy: self.no_proxy.clone(),
            from_environment: self.proxy_from_environment,
            connect_headers: headers(&self.proxy_connect_header),
        }
    }
}
