//! The web config file of `--web.config.file`, as every Prometheus exporter has it
//! (<https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md>).
//! What is not supported is refused by name.

use std::path::{Path, PathBuf};

use hyper::header::{HeaderName, HeaderValue};

use super::users::Hash;
use super::yaml;

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct Config {
    pub(super) tls: Option<Tls>,
    /// Headers that every answer gets.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// Names with the hashes of their passwords. Without any nobody is asked.
    pub(super) users: Vec<(String, Hash)>,
}

/// `tls_server_config`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Tls {
    pub(super) certificate: Pem,
    pub(super) key: Pem,
    pub(super) client_authorities: Pem,
    pub(super) clients: Clients,
    pub(super) oldest: Version,
    /// None is the newest there is.
    pub(super) newest: Option<Version>,
    /// Names of suites of TLS 1.2 as Go has them. None named: all.
    pub(super) suites: Vec<String>,
    /// Names of curves as Go has them, the preferred ones first. None named: all.
    pub(super) curves: Vec<String>,
    pub(super) own_order: bool,
}

/// A PEM text, or where it is.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) enum Pem {
    #[default]
    None,
    File(PathBuf),
    Inline(String),
}

/// `client_auth_type`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clients {
    #[default]
    NoCertificate,
    VerifiedIfGiven,
    Verified,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    #[default]
    Tls12,
    Tls13,
}

/// The headers that the file may set.
const HEADERS: [&str; 5] = [
    "Content-Security-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "X-XSS-Protection",
];

impl Config {
    /// Reads the text of the file `path`.
    ///
    /// # Errors
    /// What is wrong with it, or not supported.
    pub(super) fn parse(text: &str, path: &Path) -> Result<Self, String> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut config = Self::default();
        for (name, node) in yaml::parse(text)?.fields("the file")? {
            match &*name {
                "tls_server_config" => config.tls = Tls::read(node.fields(&name)?, folder)?,
                "http_server_config" => config.headers = http(node.fields(&name)?)?,
                "basic_auth_users" => {
                    for (user, node) in node.fields(&name)? {
                        let line = node.line;
                        let hash = Hash::parse(&node.text("a password's hash")?)
                            .map_err(|fault| format!("line {line}: basic_auth_users: {user}: {fault}"))?;
                        config.users.push((user, hash));
                    }
                }
                "rate_limit" => return Err(unsupported(node.line, &name)),
                _ => return Err(unknown(node.line, &name)),
            }
        }
        Ok(config)
    }
}

impl Tls {
    /// None without any field: the file leaves TLS off.
    fn read(fields: Vec<(String, yaml::Node)>, folder: &Path) -> Result<Option<Self>, String> {
        if fields.is_empty() {
            return Ok(None);
        }
        let mut tls = Self {
            own_order: true,
            ..Self::default()
        };
        for (name, node) in fields {
            let line = node.line;
            let refused = |value: &str| format!("line {line}: {name}: {value:?} is not supported");
            match &*name {
                "cert_file" => tls.certificate.set_file(folder, &node.text(&name)?),
                "key_file" => tls.key.set_file(folder, &node.text(&name)?),
                "client_ca_file" => tls.client_authorities.set_file(folder, &node.text(&name)?),
                "cert" => tls.certificate.set_inline(node.text(&name)?),
                "key" => tls.key.set_inline(node.text(&name)?),
                "client_ca" => tls.client_authorities.set_inline(node.text(&name)?),
                "client_auth_type" => {
                    tls.clients = match &*node.text(&name)? {
                        "" | "NoClientCert" => Clients::NoCertificate,
                        "VerifyClientCertIfGiven" => Clients::VerifiedIfGiven,
                        "RequireAndVerifyClientCert" => Clients::Verified,
                        other => return Err(refused(other)),
                    }
                }
                "min_version" => tls.oldest = version(&node.text(&name)?).map_err(|other| refused(&other))?,
                "max_version" => {
                    tls.newest = Some(version(&node.text(&name)?).map_err(|other| refused(&other))?);
                }
                "cipher_suites" => tls.suites = node.texts(&name)?,
                "curve_preferences" => tls.curves = node.texts(&name)?,
                "prefer_server_cipher_suites" => tls.own_order = node.switch(&name)?,
                "client_allowed_sans" => return Err(unsupported(line, &name)),
                _ => return Err(unknown(line, &name)),
            }
        }
        if tls.certificate == Pem::None {
            return Err("tls_server_config: cert_file or cert is missing".to_owned());
        }
        if tls.key == Pem::None {
            return Err("tls_server_config: key_file or key is missing".to_owned());
        }
        let asks = tls.clients != Clients::NoCertificate;
        if asks != (tls.client_authorities != Pem::None) {
            return Err(if asks {
                "tls_server_config: client_ca_file is missing, against which clients are verified".to_owned()
            } else {
                "tls_server_config: client_ca_file is given, but client_auth_type verifies no client"
                    .to_owned()
            });
        }
        if tls.newest.is_some_and(|newest| newest < tls.oldest) {
            return Err("tls_server_config: max_version is before min_version".to_owned());
        }
        Ok(Some(tls))
    }
}

impl Pem {
    fn set_file(&mut self, folder: &Path, path: &str) {
        if !path.is_empty() {
            *self = Self::File(folder.join(path));
        }
    }

    fn set_inline(&mut self, text: String) {
        if !text.is_empty() {
            *self = Self::Inline(text);
        }
    }
}

fn version(name: &str) -> Result<Version, String> {
    match name {
        "TLS12" => Ok(Version::Tls12),
        "TLS13" => Ok(Version::Tls13),
        other => Err(other.to_owned()),
    }
}

fn http(fields: Vec<(String, yaml::Node)>) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let mut headers = Vec::new();
    for (name, node) in fields {
        let line = node.line;
        match &*name {
            "http2" => {
                if node.switch(&name)? {
                    return Err(format!("line {line}: http2 is not supported, set it to false"));
                }
            }
            "headers" => {
                for (header, node) in node.fields(&name)? {
                    let line = node.line;
                    let value = node.text(&header)?;
                    if !HEADERS.contains(&&*header) {
                        return Err(format!("line {line}: the header {header:?} can not be set"));
                    }
                    let bad = |what| format!("line {line}: {header}: not a {what} of HTTP");
                    let name: HeaderName = header.parse().map_err(|_| bad("name"))?;
                    if !value.is_empty() {
                        headers.push((name, value.parse().map_err(|_| bad("value"))?));
                    }
                }
            }
            _ => return Err(unknown(line, &name)),
        }
    }
    Ok(headers)
}

fn unsupported(line: usize, name: &str) -> String {
    format!("line {line}: {name} is not supported")
}

fn unknown(line: usize, name: &str) -> String {
    format!("line {line}: {name} is unknown")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$2a$04$abcdefghijklmnopqrstuu5BLqyhRBYrBPdpGa/g4MlpbHpeVjfSu";

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("/etc/web.yml"))
    }

    #[test]
    fn everything() {
        let config = parse(&format!(
            "tls_server_config:\n  cert_file: a.crt\n  key_file: /b.key\n  client_auth_type: RequireAndVerifyClientCert\n  \
             client_ca_file: ca.crt\n  min_version: TLS12\n  max_version: TLS13\n  cipher_suites: [A, B]\n  \
             curve_preferences:\n  - CurveP256\n  prefer_server_cipher_suites: false\nhttp_server_config:\n  http2: false\n  \
             headers:\n    X-Frame-Options: deny\n    X-XSS-Protection: ''\nbasic_auth_users:\n  alice: {HASH}\n"
        ))
        .unwrap();
        assert_eq!(
            config.tls.unwrap(),
            Tls {
                certificate: Pem::File("/etc/a.crt".into()),
                key: Pem::File("/b.key".into()),
                client_authorities: Pem::File("/etc/ca.crt".into()),
                clients: Clients::Verified,
                oldest: Version::Tls12,
                newest: Some(Version::Tls13),
                suites: vec!["A".to_owned(), "B".to_owned()],
                curves: vec!["CurveP256".to_owned()],
                own_order: false,
            }
        );
        assert_eq!(config.headers.len(), 1);
        assert_eq!(config.users[0].0, "alice");
        let nothing = parse("# nothing\n").unwrap();
        assert!(nothing.tls.is_none() && nothing.users.is_empty());
    }

    #[test]
    fn what_cannot_be_had_is_named() {
        let tls = |more: &str| format!("tls_server_config:\n  cert_file: a\n  key_file: b\n  {more}\n");
        for (text, said) in [
            ("tls_config: {}", "tls_config is unknown"),
            ("rate_limit: {burst: 1}", "rate_limit is not supported"),
            ("tls_server_config:\n  cert_file: a", "key_file or key is missing"),
            ("tls_server_config: [a]", "has to be a mapping"),
            (
                &tls("min_version: TLS10"),
                "line 4: min_version: \"TLS10\" is not supported",
            ),
            (
                &tls("min_version: TLS13\n  max_version: TLS12"),
                "before min_version",
            ),
            (&tls("client_auth_type: RequireAnyClientCert"), "is not supported"),
            (
                &tls("client_auth_type: RequireAndVerifyClientCert"),
                "client_ca_file is missing",
            ),
            (&tls("client_ca_file: ca"), "verifies no client"),
            (
                &tls("client_allowed_sans: [a]"),
                "client_allowed_sans is not supported",
            ),
            (
                "http_server_config:\n  http2: true",
                "line 2: http2 is not supported",
            ),
            (
                "http_server_config:\n  headers: {Server: x}",
                "the header \"Server\" can not be set",
            ),
            (
                "http_server_config:\n  headers: {X-Frame-Options: \"a\\nb\"}",
                "not a value of HTTP",
            ),
            (
                "basic_auth_users:\n  bob: secret",
                "line 2: basic_auth_users: bob: not a bcrypt hash",
            ),
            ("basic_auth_users:\n  bob: x\n  bob: y", "bob is there twice"),
            ("a: &b c\nd: *b", "aliases"),
            ("a: [", "not valid YAML"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
