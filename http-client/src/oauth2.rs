//! Tokens by client credentials (RFC 6749, section 4.4).
//!
//! Invariant: at most one token is asked for at a time; who comes meanwhile waits for the same one.

mod answer;
mod form;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Uri};
use tokio::sync::Mutex;
use tokio::time::Instant;

use self::answer::Answer;
use self::form::Form;
use crate::auth::{header, read};
use crate::client::{Client, Request, Response};
use crate::{Config, Error, ErrorKind, OAuth2, Secret};

/// How long before its end a token is given up: it should not end on the way.
const MARGIN: Duration = Duration::from_secs(10);

/// What an answer with a token may have.
const ANSWER_LIMIT: usize = 256 * 1024;

pub(crate) struct Tokens {
    config: OAuth2,
    uri: Uri,
    client: Client,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    style: Style,
}

struct Token {
    header: HeaderValue,
    usable_until: Option<Instant>,
}

/// How the client shows who it is.
#[derive(Clone, Copy, PartialEq, Default)]
enum Style {
    /// Not known yet: as basic authentication, which every server must take, then the other way, which some want.
    #[default]
    Unknown,
    Basic,
    Parameters,
}

type Fetched<'a> = Pin<Box<dyn Future<Output = Result<Response, Error>> + Send + 'a>>;

impl Tokens {
    pub(crate) fn new(config: &OAuth2) -> Result<Self, Error> {
        let uri = config
            .token_url
            .parse()
            .map_err(|error| Error::config(format!("oauth2 token_url is not a URL: {error}")))?;
        crate::origin::Origin::of(&uri)
            .map_err(|error| Error::config(format!("oauth2 token_url cannot be asked: {error}")))?;
        let client = Client::new(&Config {
            tls: config.tls.clone(),
            proxy: config.proxy.clone(),
            ..Config::default()
        })?;
        Ok(Self {
            config: config.clone(),
            uri,
            client,
            state: Mutex::default(),
        })
    }

    /// The header for a request, and whether its token was asked for just now.
    pub(crate) async fn header(&self) -> Result<(HeaderValue, bool), Error> {
        let mut state = self.state.lock().await;
        let usable = state
            .token
            .as_ref()
            .filter(|token| token.usable_until.is_none_or(|end| Instant::now() < end));
        if let Some(token) = usable {
            return Ok((token.header.clone(), false));
        }
        let token = self.fetch(&mut state.style).await?;
        let header = token.header.clone();
        state.token = Some(token);
        Ok((header, true))
    }

    /// Forgets the token that `header` was made of, unless that has been done.
    pub(crate) async fn forget(&self, header: &HeaderValue) {
        let mut state = self.state.lock().await;
        state.token.take_if(|token| token.header == *header);
    }

    async fn fetch(&self, style: &mut Style) -> Result<Token, Error> {
        let secret = match (&self.config.client_secret, &self.config.client_secret_file) {
            (Some(secret), _) => secret.expose().to_owned(),
            (None, Some(path)) => read(path)?.trim().to_owned(),
            (None, None) => String::new(),
        };
        let tries: &[Style] = match *style {
            Style::Unknown => &[Style::Basic, Style::Parameters],
            Style::Basic => &[Style::Basic],
            Style::Parameters => &[Style::Parameters],
        };
        let mut refusal = None;
        for each in tries {
            let asked = Instant::now();
            let response = self.ask(*each, &secret).await.map_err(|error| {
                Error::new(ErrorKind::Credentials, format!("cannot get a token: {error}")).with_source(error)
            })?;
            match Answer::read(response.status, &response.body) {
                Ok(answer) => {
                    *style = *each;
                    return Token::of(&answer, asked);
                }
                Err(why) if response.status.is_client_error() => {
                    // The first refusal is the one that tells: the other way is only a guess.
                    refusal.get_or_insert(why);
                }
                Err(why) => {
                    refusal = Some(why);
                    break;
                }
            }
        }
        // What is remembered of the server may be what is wrong.
        *style = Style::Unknown;
        let url = crate::redact(&self.uri);
        let why = refusal.unwrap_or_default();
        Err(Error::new(
            ErrorKind::Credentials,
            format!("cannot get a token from {url}: {why}"),
        ))
    }

    /// In a box, since a request may need a token, and a token needs a request.
    fn ask(&self, style: Style, secret: &str) -> Fetched<'_> {
        let request = self.request(style, secret);
        Box::pin(async move { self.client.send(&request?, ANSWER_LIMIT).await })
    }

    fn request(&self, style: Style, secret: &str) -> Result<Request, Error> {
        let mut form = Form::default();
        let mut headers = HeaderMap::new();
        if self
            .config
            .endpoint_params
            .iter()
            .all(|(name, _)| name != "grant_type")
        {
            form.add("grant_type", "client_credentials");
        }
        if !self.config.scopes.is_empty() {
            form.add("scope", &self.config.scopes.join(" "));
        }
        for (name, value) in &self.config.endpoint_params {
            form.add(name, value);
        }
        if style == Style::Parameters {
            form.add("client_id", &self.config.client_id);
            if !secret.is_empty() {
                form.add("client_secret", secret);
            }
        } else {
            let pair = format!(
                "{}:{}",
                form::encode(&self.config.client_id),
                form::encode(secret)
            );
            headers.insert(
                AUTHORIZATION,
                header(&format!("Basic {}", STANDARD.encode(pair)))?,
            );
        }
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        Ok(Request {
            method: Method::POST,
            uri: self.uri.clone(),
            headers,
            body: Bytes::from(form.into_body()),
        })
    }
}

impl Token {
    fn of(answer: &Answer, asked: Instant) -> Result<Self, Error> {
        let lifetime = answer.lifetime;
        Ok(Self {
            header: header(&format!("{} {}", answer.kind, Secret::expose(&answer.token)))?,
            usable_until: lifetime
                .and_then(|lifetime| asked.checked_add(lifetime.saturating_sub(MARGIN.min(lifetime / 2)))),
        })
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
