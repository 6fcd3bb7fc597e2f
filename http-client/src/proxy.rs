//! Which way a request goes: straight to its host, or by a proxy.

mod bypass;
mod tunnel;

use http::{HeaderMap, HeaderValue, Uri};

use self::bypass::Bypass;
pub(crate) use self::tunnel::open;
use crate::auth::user_info;
use crate::origin::Origin;
use crate::{Error, ErrorKind, ProxyConfig};

/// The proxies of a client.
#[derive(Debug)]
pub(crate) struct Proxies {
    for_http: Option<Proxy>,
    for_https: Option<Proxy>,
    bypass: Option<Bypass>,
}

/// One proxy.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) uri: Uri,
    pub(crate) origin: Origin,
    /// For its own eyes.
    pub(crate) authorization: Option<HeaderValue>,
    /// Those of the `CONNECT` request.
    pub(crate) connect_headers: HeaderMap,
}

// === impl Proxies ===

impl Proxies {
    pub(crate) fn of(config: &ProxyConfig) -> Result<Self, Error> {
        if config.from_environment {
            return Self::of_environment(config, |name| std::env::var(name).ok());
        }
        let proxy = || config.url.as_ref().map(|uri| Proxy::new(uri, config)).transpose();
        Ok(Self {
            for_http: proxy()?,
            for_https: proxy()?,
            // Prometheus leaves loopback addresses out only if it is told of others to leave out.
            bypass: Some(&config.no_proxy)
                .filter(|text| !text.is_empty())
                .map(|text| Bypass::parse(text)),
        })
    }

    fn of_environment(
        config: &ProxyConfig,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        let either = |name: &str| {
            [name.to_owned(), name.to_ascii_lowercase()]
                .into_iter()
                .find_map(|name| {
                    variable(&name)
                        .filter(|value| !value.is_empty())
                        .map(|value| (name, value))
                })
        };
        let proxy = |name: &str| {
            let Some((name, value)) = either(name) else {
                return Ok(None);
            };
            let with_scheme = if value.contains("://") {
                value
            } else {
                format!("http://{value}")
            };
            // What is wrong is said without the text: it may hold a password.
            let uri: Uri = with_scheme
                .parse()
                .map_err(|error| Error::config(format!("{name} of the environment is not a URL: {error}")))?;
            Proxy::new(&uri, config)
                .map(Some)
                .map_err(|error| Error::config(format!("{name} of the environment: {error}")))
        };
        Ok(Self {
            for_http: proxy("HTTP_PROXY")?,
            for_https: proxy("HTTPS_PROXY")?,
            bypass: Some(Bypass::parse(
                &either("NO_PROXY").map_or_else(String::new, |(_, value)| value),
            )),
        })
    }

    /// The proxy on the way to `origin`.
    pub(crate) fn on_the_way_to(&self, origin: &Origin) -> Option<&Proxy> {
        let proxy = if origin.https {
            &self.for_https
        } else {
            &self.for_http
        };
        proxy.as_ref().filter(|_| {
            self.bypass
                .as_ref()
                .is_none_or(|bypass| !bypass.contains(&origin.host, origin.port))
        })
    }
}

// === impl Proxy ===

impl Proxy {
    fn new(uri: &Uri, config: &ProxyConfig) -> Result<Self, Error> {
        let origin = Origin::of(uri)
            .map_err(|error| Error::new(ErrorKind::Config, format!("the proxy cannot be used: {error}")))?;
        Ok(Self {
            uri: uri.clone(),
            origin,
            authorization: user_info(uri)?,
            connect_headers: config.headers()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(proxies: &Proxies, to: &str) -> Option<String> {
        let origin = Origin::of(&to.parse().unwrap()).unwrap();
        proxies.on_the_way_to(&origin).map(|proxy| proxy.origin.address())
    }

    #[test]
    fn a_proxy_of_the_configuration() {
        let mut config = ProxyConfig {
            url: Some(Uri::from_static("http://u:p@proxy")),
            ..ProxyConfig::default()
        };
        let proxies = Proxies::of(&config).unwrap();
        for to in ["http://h/", "http://127.0.0.1/"] {
            assert_eq!(way(&proxies, to).unwrap(), "proxy:80", "{to}");
        }
        config.no_proxy = "h:81".into();
        let proxies = Proxies::of(&config).unwrap();
        assert_eq!(way(&proxies, "http://h/").unwrap(), "proxy:80");
        assert_eq!(way(&proxies, "http://h:81/"), None);
        assert_eq!(
            way(&proxies, "http://127.0.0.1/"),
            None,
            "among the others that are left out"
        );

        config.url = Some(Uri::from_static("socks5://h"));
        let error = Proxies::of(&config).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the proxy cannot be used: unsupported protocol scheme \"socks5\""
        );
    }

    #[test]
    fn proxies_of_the_environment() {
        let config = ProxyConfig {
            from_environment: true,
            ..ProxyConfig::default()
        };
        let of = |variables: &'static [(&str, &str)]| {
            Proxies::of_environment(&config, |name| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        let none = of(&[]).unwrap();
        assert_eq!(way(&none, "http://h/"), None);

        let plain = of(&[
            ("HTTP_PROXY", ""),
            ("http_proxy", "proxy:3128"),
            ("no_proxy", ".example"),
        ])
        .unwrap();
        assert_eq!(way(&plain, "http://h/").unwrap(), "proxy:3128");
        assert_eq!(way(&plain, "http://h.example/"), None);
        assert_eq!(way(&plain, "http://localhost/"), None);
        if cfg!(feature = "tls") {
            assert_eq!(way(&plain, "https://h/"), None);
            let both = of(&[("HTTP_PROXY", "http://a"), ("HTTPS_PROXY", "https://b")]).unwrap();
            assert_eq!(way(&both, "http://h/").unwrap(), "a:80");
            assert_eq!(way(&both, "https://h/").unwrap(), "b:443");
        }

        let error = of(&[("HTTPS_PROXY", "http://u:hunter2@ h")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "HTTPS_PROXY of the environment is not a URL: invalid uri character"
        );
    }
}
