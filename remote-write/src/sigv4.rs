//! Requests signed for AWS: Signature Version 4 (AWS documentation, "Create a signed AWS API request").
//!
//! Signed are the host, the date, the body's hash and a session token; credentials are looked for at each request, so that a file that
//! is replaced serves from then on.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use ferroalloy_http_client::Secret;
use hmac::{Hmac, Mac};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::{Error, ErrorKind};

/// How requests are signed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SigV4 {
    /// The region, as in `eu-central-1`; `AWS_REGION` of the environment unless it is given.
    pub region: Option<String>,
    /// The access key and its secret; those of the environment or of the profile unless they are given.
    pub keys: Option<(String, Secret)>,
    /// The profile in the shared credentials file (`AWS_SHARED_CREDENTIALS_FILE`, or `~/.aws/credentials`); `AWS_PROFILE` of the environment,
    /// or `default`, unless it is given.
    pub profile: Option<String>,
    /// The service that is signed for; `aps` unless it is given.
    pub service: Option<String>,
}

struct Credentials {
    access_key: String,
    secret_key: String,
    session_token: Option<String>,
}

impl SigV4 {
    /// Checks that there is a region.
    pub(crate) fn validate(&self) -> Result<(), Error> {
        self.region().map(drop)
    }

    fn region(&self) -> Result<String, Error> {
        self.region
            .clone()
            .or_else(|| variable("AWS_REGION"))
            .ok_or_else(|| Error::config("sigv4: no region is given, and AWS_REGION is not set"))
    }

    /// Adds the headers that sign a POST of `body` to `uri`; `wall` is the time in milliseconds since 1970.
    pub(crate) fn sign(
        &self,
        headers: &mut HeaderMap,
        uri: &Uri,
        body: &[u8],
        wall: i64,
    ) -> Result<(), Error> {
        let (credentials, region) = (self.credentials()?, self.region()?);
        let service = self.service.as_deref().unwrap_or("aps");
        let time = Timestamp::from_millisecond(wall).unwrap_or_default();
        let host = uri.authority().map_or("", |authority| {
            authority.as_str().rsplit('@').next().unwrap_or_default()
        });
        // A port that is the scheme's own is not in the header.
        let host = match uri.scheme_str() {
            Some("https") => host.strip_suffix(":443").unwrap_or(host),
            _ => host.strip_suffix(":80").unwrap_or(host),
        };
        let (authorization, signed) = sign("POST", uri, host, body, &credentials, &region, service, time);
        let bad = |_| {
            Error::new(
                ErrorKind::Misconfigured,
                "sigv4: a credential has characters that a header cannot hold",
            )
        };
        for (name, value) in signed.into_iter().filter(|(name, _)| name != "host") {
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| Error::new(ErrorKind::Misconfigured, "sigv4: not a header"))?;
            headers.insert(name, HeaderValue::from_str(&value).map_err(bad)?);
        }
        let mut authorization = HeaderValue::from_str(&authorization).map_err(bad)?;
        authorization.set_sensitive(true);
        headers.insert(AUTHORIZATION, authorization);
        Ok(())
    }

    fn credentials(&self) -> Result<Credentials, Error> {
        if let Some((access_key, secret_key)) = &self.keys {
            return Ok(Credentials {
                access_key: access_key.clone(),
                secret_key: secret_key.expose().to_owned(),
                session_token: None,
            });
        }
        if self.profile.is_none()
            && let (Some(access_key), Some(secret_key)) =
                (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"))
        {
            return Ok(Credentials {
                access_key,
                secret_key,
                session_token: variable("AWS_SESSION_TOKEN"),
            });
        }
        let failed = |why: String| Error::new(ErrorKind::Misconfigured, format!("sigv4: {why}"));
        let path = variable("AWS_SHARED_CREDENTIALS_FILE")
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(variable("HOME")?).join(".aws/credentials")))
            .ok_or_else(|| {
                failed("no credentials are given, and there is no home folder to look in".into())
            })?;
        let text = std::fs::read_to_string(&path).map_err(|error| {
            failed(format!(
                "no credentials are given, and {}: {error}",
                path.display()
            ))
        })?;
        let profile = self.profile.clone().or_else(|| variable("AWS_PROFILE"));
        let profile = profile.as_deref().unwrap_or("default");
        of_profile(&text, profile)
            .ok_or_else(|| failed(format!("{} has no keys for profile {profile:?}", path.display())))
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The keys of one profile of a shared credentials file.
fn of_profile(text: &str, profile: &str) -> Option<Credentials> {
    let mut within = false;
    let mut values = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            within = name.trim() == profile;
        } else if within && let Some((name, value)) = line.split_once('=') {
            values.insert(name.trim().to_owned(), value.trim().to_owned());
        }
    }
    Some(Credentials {
        access_key: values.remove("aws_access_key_id")?,
        secret_key: values.remove("aws_secret_access_key")?,
        session_token: values.remove("aws_session_token"),
    })
}

/// The `Authorization` header, and the headers that it signs.
#[allow(clippy::too_many_arguments, reason = "each is an input of the signature")]
fn sign(
    method: &str,
    uri: &Uri,
    host: &str,
    body: &[u8],
    credentials: &Credentials,
    region: &str,
    service: &str,
    time: Timestamp,
) -> (String, BTreeMap<String, String>) {
    let stamp = time.strftime("%Y%m%dT%H%M%SZ").to_string();
    let day = &stamp[..8];
    let mut headers = BTreeMap::from([
        ("host".to_owned(), host.to_owned()),
        ("x-amz-date".to_owned(), stamp.clone()),
    ]);
    if let Some(token) = &credentials.session_token {
        headers.insert("x-amz-security-token".to_owned(), token.clone());
    }
    let names: Vec<&str> = headers.keys().map(String::as_str).collect();
    let names = names.join(";");
    let mut canonical = format!("{method}\n{}\n{}\n", path(uri), query(uri));
    for (name, value) in &headers {
        let _infallible = writeln!(canonical, "{name}:{}", value.trim());
    }
    let _infallible = write!(canonical, "\n{names}\n{}", hex(&Sha256::digest(body)));
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let text = format!(
        "AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}",
        hex(&Sha256::digest(&canonical))
    );
    let mut key = mac(format!("AWS4{}", credentials.secret_key).as_bytes(), day);
    for part in [region, service, "aws4_request"] {
        key = mac(&key, part);
    }
    let signature = hex(&mac(&key, &text));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
        credentials.access_key
    );
    (authorization, headers)
}

/// The path, encoded once more than it is in the URL.
fn path(uri: &Uri) -> String {
    let path = if uri.path().is_empty() { "/" } else { uri.path() };
    encode(path, b"/-_.~")
}

/// The query's parameters in order.
fn query(uri: &Uri) -> String {
    let query = uri.query().unwrap_or_default();
    let mut parameters: Vec<String> = query
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            // What is encoded already stays.
            format!("{}={}", encode(name, b"-_.~%"), encode(value, b"-_.~%"))
        })
        .collect();
    parameters.sort_unstable();
    parameters.join("&")
}

fn encode(text: &str, kept: &[u8]) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _infallible = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _infallible = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials() -> Credentials {
        Credentials {
            access_key: "AKIDEXAMPLE".into(),
            secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
            session_token: None,
        }
    }

    #[track_caller]
    fn signature(method: &str, path: &str, expected: &str) {
        let uri = format!("https://example.amazonaws.com{path}").parse().unwrap();
        let time = "2015-08-30T12:36:00Z".parse().unwrap();
        let (authorization, _) = sign(
            method,
            &uri,
            "example.amazonaws.com",
            b"",
            &credentials(),
            "us-east-1",
            "service",
            time,
        );
        assert_eq!(
            authorization,
            format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                 SignedHeaders=host;x-amz-date, Signature={expected}"
            )
        );
    }

    /// Cases of AWS' own test suite for signatures: get-vanilla and post-vanilla.
    #[test]
    fn signatures_are_those_of_the_test_suite() {
        signature(
            "GET",
            "/",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        );
        signature(
            "POST",
            "/",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        );
    }

    #[test]
    fn a_profile_has_its_own_keys() {
        let text = "[default]\naws_access_key_id = A\naws_secret_access_key=B\n[x]\naws_access_key_id=C\n\
                    aws_secret_access_key = D\naws_session_token = E\n";
        let found = of_profile(text, "x").unwrap();
        assert_eq!(
            (
                found.access_key.as_str(),
                found.secret_key.as_str(),
                found.session_token.as_deref()
            ),
            ("C", "D", Some("E"))
        );
        assert!(of_profile(text, "y").is_none());
    }

    #[test]
    fn what_is_sent_is_signed() {
        let signer = SigV4 {
            region: Some("eu-central-1".into()),
            keys: Some(("A".into(), "B".into())),
            ..SigV4::default()
        };
        let mut headers = HeaderMap::new();
        let uri = "https://h:443/api/v1/remote_write".parse().unwrap();
        signer.sign(&mut headers, &uri, b"body", 0).unwrap();
        assert_eq!(headers["x-amz-date"], "19700101T000000Z");
        let authorization = headers[AUTHORIZATION].to_str().unwrap();
        assert!(
            authorization
                .starts_with("AWS4-HMAC-SHA256 Credential=A/19700101/eu-central-1/aps/aws4_request, "),
            "{authorization}"
        );
    }
}
