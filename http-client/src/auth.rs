//! The `Authorization` header: made once from what is configured, read from its file at each request, or made of a token.
//!
//! Invariant: a secret is in no message; a file that cannot be read is named.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Uri};

use crate::oauth2::Tokens;
use crate::{Config, Error, ErrorKind, Secret};

#[derive(Debug)]
pub(crate) enum Credentials {
    None,
    Fixed(HeaderValue),
    /// `<prefix><contents of the file>`.
    File {
        prefix: String,
        path: PathBuf,
    },
    BasicFile {
        username: String,
        path: PathBuf,
    },
    OAuth2(Box<Tokens>),
}

/// The header of one request.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) value: HeaderValue,
    /// A refusal of it may be cured by asking for another.
    pub(crate) renewable: bool,
}

impl Credentials {
    pub(crate) fn of(config: &Config) -> Result<Self, Error> {
        if let Some(oauth2) = &config.oauth2 {
            return Tokens::new(oauth2).map(|tokens| Self::OAuth2(Box::new(tokens)));
        }
        if let Some(basic) = &config.basic_auth {
            if let Some(path) = &basic.password_file {
                return Ok(Self::BasicFile {
                    username: basic.username.clone(),
                    path: path.clone(),
                });
            }
            let password = basic.password.as_ref().map_or("", Secret::expose);
            return self::basic(&basic.username, password).map(Self::Fixed);
        }
        let (kind, credentials, file) = match &config.authorization {
            Some(given) => (given.kind.trim(), &given.credentials, &given.credentials_file),
            None => ("Bearer", &config.bearer_token, &config.bearer_token_file),
        };
        let prefix = if kind.is_empty() {
            "Bearer ".to_owned()
        } else {
            format!("{kind} ")
        };
        match (credentials, file) {
            (Some(secret), _) => header(&format!("{prefix}{}", secret.expose())).map(Self::Fixed),
            (None, Some(path)) => Ok(Self::File {
                prefix,
                path: path.clone(),
            }),
            (None, None) => Ok(Self::None),
        }
    }

    /// The header for one request. Without configured credentials those in the URL count, as basic authentication.
    pub(crate) async fn header(&self, uri: &Uri) -> Result<Option<Header>, Error> {
        let value = match self {
            Self::None => return Ok(user_info(uri)?.map(Header::fixed)),
            Self::Fixed(value) => value.clone(),
            Self::File { prefix, path } => header(&format!("{prefix}{}", read(path)?.trim()))?,
            Self::BasicFile { username, path } => basic(username, read(path)?.trim())?,
            Self::OAuth2(tokens) => {
                let (value, fresh) = tokens.header().await?;
                return Ok(Some(Header {
                    value,
                    renewable: !fresh,
                }));
            }
        };
        Ok(Some(Header::fixed(value)))
    }

    /// Gives up what `refused` was made of, so that the next header is another.
    pub(crate) async fn renew(&self, refused: &HeaderValue) {
        if let Self::OAuth2(tokens) = self {
            tokens.forget(refused).await;
        }
    }
}

impl Header {
    fn fixed(value: HeaderValue) -> Self {
        Self {
            value,
            renewable: false,
        }
    }
}

/// The user and the password of a URL, as basic authentication.
pub(crate) fn user_info(uri: &Uri) -> Result<Option<HeaderValue>, Error> {
    let Some((user, _)) = uri
        .authority()
        .and_then(|authority| authority.as_str().rsplit_once('@'))
    else {
        return Ok(None);
    };
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let decoded = [percent_decode(name), b":".to_vec(), percent_decode(password)].concat();
    header(&format!("Basic {}", STANDARD.encode(decoded))).map(Some)
}

fn percent_decode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = tail.get(..2).filter(|_| *first == b'%');
        let escaped = escaped.and_then(|hex| std::str::from_utf8(hex).ok());
        if let Some(byte) = escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            out.push(byte);
            rest = &tail[2..];
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    out
}

fn basic(username: &str, password: &str) -> Result<HeaderValue, Error> {
    header(&format!(
        "Basic {}",
        STANDARD.encode(format!("{username}:{password}"))
    ))
}

pub(crate) fn header(value: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        Error::new(
            ErrorKind::Credentials,
            "the credentials have characters that a header cannot hold",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

pub(crate) fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|error| {
        Error::new(
            ErrorKind::Credentials,
            format!("cannot read credentials from {}: {error}", path.display()),
        )
        .with_source(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Authorization, BasicAuth};

    async fn check(config: &Config, uri: &str, expected: Option<&str>) {
        let header = Credentials::of(config)
            .unwrap()
            .header(&uri.parse().unwrap())
            .await
            .unwrap();
        assert_eq!(
            header.as_ref().map(|header| header.value.to_str().unwrap()),
            expected
        );
    }

    #[tokio::test]
    async fn each_kind() {
        check(&Config::default(), "http://h/", None).await;
        check(
            &Config::default(),
            "http://Aladdin:open%20sesame@h/",
            Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        )
        .await;
        let basic = BasicAuth {
            username: "Aladdin".into(),
            password: Some("open sesame".into()),
            password_file: None,
        };
        let config = Config {
            basic_auth: Some(basic),
            ..Config::default()
        };
        check(
            &config,
            "http://other@h/",
            Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        )
        .await;
        let config = Config {
            bearer_token: Some("t".into()),
            ..Config::default()
        };
        check(&config, "http://h/", Some("Bearer t")).await;
        let authorization = Authorization {
            kind: "Token".into(),
            credentials: Some("t".into()),
            credentials_file: None,
        };
        let config = Config {
            authorization: Some(authorization),
            ..Config::default()
        };
        check(&config, "http://h/", Some("Token t")).await;
    }

    #[tokio::test]
    async fn a_file_is_read_at_each_request() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let config = Config {
            bearer_token_file: Some(file.path().into()),
            ..Config::default()
        };
        let credentials = Credentials::of(&config).unwrap();
        let uri = Uri::from_static("http://h/");
        for token in ["one", "two"] {
            fs::write(file.path(), format!("{token}\n")).unwrap();
            assert_eq!(
                credentials.header(&uri).await.unwrap().unwrap().value,
                format!("Bearer {token}")
            );
        }
        let path = file.path().to_owned();
        drop(file);
        let error = credentials.header(&uri).await.unwrap_err();
        assert!(
            error.is_credentials() && error.to_string().contains(path.to_str().unwrap()),
            "{error}"
        );
    }
}
