//! Through which proxy servers are reached.

use std::fmt;

use http::{HeaderMap, Uri};

use super::Secret;
use crate::{Error, redact};

/// The proxy of a client. `http` URLs are asked through it in absolute form, `https` URLs through a tunnel (`CONNECT`).
///
/// A user and a password in a proxy's URL are sent to it as basic authentication. To a proxy of scheme `https` the
/// connection is TLS, under the options of the client but for its `server_name`.
#[derive(Clone, Default, PartialEq)]
pub struct ProxyConfig {
    /// The proxy, an `http` or `https` URL. Without one, and unless `from_environment` says so, there is none.
    pub url: Option<Uri>,
    /// Hosts that are reached without the proxy, separated by commas: names (with those below them; after a leading dot
    /// only those below), addresses, networks (`10.0.0.0/8`), any of them but the last with `:port`; `*` for all. If it
    /// is given, `localhost` and loopback addresses are among them.
    pub no_proxy: String,
    /// Take the proxies from `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, or the same in lower case, as they are when
    /// the client is made. Loopback addresses are then reached without one.
    pub from_environment: bool,
    /// Headers of the `CONNECT` request.
    pub connect_headers: Vec<(String, Vec<Secret>)>,
}

impl ProxyConfig {
    /// Checks the rules between the options, which are Prometheus'.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        if self.from_environment && self.url.is_some() {
            return Err(Error::config(
                "if proxy_from_environment is configured, proxy_url must not be configured",
            ));
        }
        if self.from_environment && !self.no_proxy.is_empty() {
            return Err(Error::config(
                "if proxy_from_environment is configured, no_proxy must not be configured",
            ));
        }
        if self.url.is_none() && !self.no_proxy.is_empty() {
            return Err(Error::config(
                "if no_proxy is configured, proxy_url must also be configured",
            ));
        }
        if self.url.is_none() && !self.from_environment && !self.connect_headers.is_empty() {
            return Err(Error::config(
                "if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured",
            ));
        }
        self.headers().map(drop)
    }

    /// The headers of the `CONNECT` request as HTTP has them.
    pub(crate) fn headers(&self) -> Result<HeaderMap, Error> {
        const RESERVED: &[&str] = &["host", "content-length", "transfer-encoding", "connection"];
        let parsed = super::headers("proxy_connect_header", &self.connect_headers, RESERVED)?;
        let mut headers = HeaderMap::new();
        for (name, value) in parsed {
            headers.append(name, value);
        }
        Ok(headers)
    }
}

impl fmt::Debug for ProxyConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyConfig")
            .field("url", &self.url.as_ref().map(redact))
            .field("no_proxy", &self.no_proxy)
            .field("from_environment", &self.from_environment)
            .field("connect_headers", &self.connect_headers)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(config: &ProxyConfig, message: &str) {
        assert_eq!(config.validate().unwrap_err().to_string(), message);
    }

    #[test]
    fn which_options_go_together() {
        let with = ProxyConfig {
            url: Some(Uri::from_static("http://u:hunter2@proxy:3128")),
            no_proxy: "localhost".into(),
            from_environment: false,
            connect_headers: vec![("X-Key".into(), vec!["hunter2".into()])],
        };
        with.validate().unwrap();
        assert!(!format!("{with:?}").contains("hunter2"), "{with:?}");
        let without = ProxyConfig::default();
        without.validate().unwrap();
        refused(
            &ProxyConfig {
                from_environment: true,
                ..with.clone()
            },
            "if proxy_from_environment is configured, proxy_url must not be configured",
        );
        refused(
            &ProxyConfig {
                from_environment: true,
                no_proxy: "h".into(),
                ..without.clone()
            },
            "if proxy_from_environment is configured, no_proxy must not be configured",
        );
        refused(
            &ProxyConfig { url: None, ..with },
            "if no_proxy is configured, proxy_url must also be configured",
        );
        let header = |name: &str| vec![(name.to_owned(), vec!["v".into()])];
        refused(
            &ProxyConfig {
                connect_headers: header("X-Key"),
                ..without.clone()
            },
            "if proxy_connect_header is configured, proxy_url or proxy_from_environment must also be configured",
        );
        refused(
            &ProxyConfig {
                from_environment: true,
                connect_headers: header("Host"),
                ..without
            },
            "proxy_connect_header: setting header \"Host\" is not allowed; use the option made for it",
        );
    }
}
