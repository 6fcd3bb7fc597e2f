//! `--web.config.file`: TLS, who may ask, and headers of answers.
//!
//! The file is read anew for each connection and request, and the certificates with each connection, as every Prometheus exporter does; whether
//! there is TLS is settled at the start.

mod config;
mod tls;
mod users;
mod yaml;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::header::{HeaderName, HeaderValue};
use tokio_rustls::TlsAcceptor;

use config::Config;
use tls::Material;
use users::Outcomes;

/// The file and what was made of it.
pub(crate) struct WebFile {
    path: PathBuf,
    has_tls: bool,
    outcomes: Outcomes,
    /// The last text, and what it says.
    config: Mutex<(Vec<u8>, Arc<Config>)>,
    /// What handshakes were last made with.
    acceptor: Mutex<Option<(Material, TlsAcceptor)>>,
}

impl WebFile {
    /// Reads the file and what it names.
    ///
    /// # Errors
    /// What cannot be read or used, with the file's path.
    pub(crate) fn open(path: PathBuf) -> Result<Self, String> {
        let mut file = Self {
            path,
            has_tls: false,
            outcomes: Outcomes::default(),
            config: Mutex::default(),
            acceptor: Mutex::new(None),
        };
        file.has_tls = file.config()?.tls.is_some();
        file.acceptor()?;
        Ok(file)
    }

    pub(crate) fn has_tls(&self) -> bool {
        self.has_tls
    }

    /// For a new connection: how to shake hands on it, if with TLS.
    pub(crate) fn acceptor(&self) -> Result<Option<TlsAcceptor>, String> {
        if !self.has_tls {
            return Ok(None);
        }
        let config = self.config()?;
        let tls = config.tls.as_ref();
        let tls = tls.ok_or_else(|| self.fault("there is no tls_server_config any more"))?;
        let material = Material::read(tls).map_err(|fault| self.fault(&fault))?;
        let mut last = self.acceptor.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, acceptor)) = last.as_ref().filter(|(of, _)| *of == material) {
            return Ok(Some(acceptor.clone()));
        }
        let server = material.server().map_err(|fault| self.fault(&fault))?;
        let acceptor = TlsAcceptor::from(Arc::new(server));
        *last = Some((material, acceptor.clone()));
        Ok(Some(acceptor))
    }

    /// Whether somebody with this `Authorization` header may ask, and the headers of the answer. May take long.
    pub(crate) fn admit(
        &self,
        authorization: Option<&[u8]>,
    ) -> Result<(bool, Vec<(HeaderName, HeaderValue)>), String> {
        let config = self.config()?;
        let allowed = config.users.is_empty() || self.outcomes.allow(&config.users, authorization);
        Ok((allowed, config.headers.clone()))
    }

    fn config(&self) -> Result<Arc<Config>, String> {
        let bytes =
            std::fs::read(&self.path).map_err(|error| self.fault(&format!("cannot read it: {error}")))?;
        let mut last = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        if last.0 != bytes {
            let text = std::str::from_utf8(&bytes).map_err(|error| self.fault(&error.to_string()))?;
            let config = Config::parse(text, &self.path).map_err(|fault| self.fault(&fault))?;
            *last = (bytes, Arc::new(config));
        }
        Ok(Arc::clone(&last.1))
    }

    fn fault(&self, what: &str) -> String {
        format!("{}: {what}", self.path.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.yml");
        assert!(
            WebFile::open(path.clone())
                .err()
                .unwrap()
                .contains("cannot read it")
        );
        std::fs::write(&path, "").unwrap();
        let file = WebFile::open(path.clone()).unwrap();
        assert!(!file.has_tls() && file.acceptor().unwrap().is_none());
        assert!(file.admit(None).unwrap().0);
        std::fs::write(
            &path,
            "basic_auth_users:\n  a: $2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW\n",
        )
        .unwrap();
        assert!(!file.admit(None).unwrap().0);
        assert!(file.admit(Some(b"Basic YTpVKlU=")).unwrap().0);
        std::fs::write(&path, "nonsense: 1\n").unwrap();
        let error = file.admit(None).unwrap_err();
        assert!(error.ends_with("web.yml: line 1: nonsense is unknown"), "{error}");
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(folder.path().join("a.crt"), made.cert.pem()).unwrap();
        std::fs::write(folder.path().join("a.key"), made.signing_key.serialize_pem()).unwrap();
        std::fs::write(&path, "tls_server_config: {cert_file: a.crt, key_file: a.key}\n").unwrap();
        assert!(file.acceptor().unwrap().is_none());
        let file = WebFile::open(path.clone()).unwrap();
        assert!(file.has_tls() && file.acceptor().unwrap().is_some());
        std::fs::write(folder.path().join("a.key"), "x").unwrap();
        assert!(file.acceptor().err().unwrap().contains("key_file"));
        std::fs::write(&path, "").unwrap();
        assert!(file.acceptor().err().unwrap().contains("any more"));
    }
}
