//! Scheme, host and port: what connections are pooled by and what credentials belong to.

use http::Uri;
use http::header::HeaderValue;

use crate::{Error, ErrorKind};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Origin {
    pub(crate) https: bool,
    /// In lower case; an IPv6 literal without its brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Origin {
    pub(crate) fn of(uri: &Uri) -> Result<Self, Error> {
        let https = match uri.scheme_str() {
            Some("http") => false,
            Some("https") if cfg!(feature = "tls") => true,
            Some("https") => {
                return Err(Error::new(
                    ErrorKind::Url,
                    "https is not supported: this program was built without TLS",
                ));
            }
            Some(other) => {
                return Err(Error::new(
                    ErrorKind::Url,
                    format!("unsupported protocol scheme {other:?}"),
                ));
            }
            None => return Err(Error::new(ErrorKind::Url, "the URL has no scheme")),
        };
        let host = uri.host().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| Error::new(ErrorKind::Url, "the URL has no host"))?;
        let host = host
            .strip_prefix('[')
            .and_then(|h| h.strip_suffix(']'))
            .unwrap_or(host);
        let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        Ok(Self {
            https,
            host: host.to_ascii_lowercase(),
            port,
        })
    }

    /// The value of the `Host` header: the port only where it is not the scheme's own.
    pub(crate) fn host_header(&self) -> Result<HeaderValue, Error> {
        let default = if self.https { 443 } else { 80 };
        let value = match (self.host.contains(':'), self.port == default) {
            (false, true) => self.host.clone(),
            (false, false) => format!("{}:{}", self.host, self.port),
            (true, true) => format!("[{}]", self.host),
            (true, false) => format!("[{}]:{}", self.host, self.port),
        };
        HeaderValue::from_str(&value)
            .map_err(|_| Error::new(ErrorKind::Url, format!("{value:?} cannot be sent as a host")))
    }

    /// As a proxy is asked for it: the port in any case.
    pub(crate) fn authority(&self) -> Result<HeaderValue, Error> {
        let value = self.address();
        HeaderValue::from_str(&value)
            .map_err(|_| Error::new(ErrorKind::Url, format!("{value:?} cannot be sent as a host")))
    }

    /// Host and port.
    pub(crate) fn address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(uri: &str, host: &str, port: u16, header: &str) {
        let origin = Origin::of(&uri.parse().unwrap()).unwrap();
        assert_eq!((origin.host.as_str(), origin.port), (host, port));
        assert_eq!(origin.host_header().unwrap(), header);
    }

    #[test]
    fn host_and_port() {
        check("http://Example.org/metrics", "example.org", 80, "example.org");
        check("http://u:p@h:9100/", "h", 9100, "h:9100");
        check("http://[::1]:9100/", "::1", 9100, "[::1]:9100");
        check("http://[::1]/", "::1", 80, "[::1]");
    }

    #[test]
    fn what_cannot_be_asked() {
        for uri in ["/metrics", "ftp://h/"] {
            let error = Origin::of(&uri.parse().unwrap()).unwrap_err();
            assert!(error.is_config(), "{error}");
        }
    }
}
