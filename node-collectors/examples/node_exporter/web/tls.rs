//! The server's side of TLS, with rustls and ring: TLS 1.2 and 1.3.

use std::fs;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::{self, kx_group};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedCipherSuite, SupportedProtocolVersion, version};

use super::config::{Clients, Pem, Tls, Version};

/// The PEM texts that a configuration is made of.
#[derive(PartialEq)]
pub(super) struct Material {
    tls: Tls,
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_authorities: Vec<u8>,
}

impl Material {
    /// Reads the files.
    pub(super) fn read(tls: &Tls) -> Result<Self, String> {
        Ok(Self {
            certificate: read(&tls.certificate)?,
            key: read(&tls.key)?,
            client_authorities: read(&tls.client_authorities)?,
            tls: tls.clone(),
        })
    }

    /// What handshakes need.
    ///
    /// # Errors
    /// Which field cannot be used, and why.
    pub(super) fn server(&self) -> Result<ServerConfig, String> {
        let tls = &self.tls;
        let provider = Arc::new(provider(tls)?);
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions(tls))
            .map_err(|error| format!("tls_server_config: {error}"))?;
        let builder = match tls.clients {
            Clients::NoCertificate => builder.with_no_client_auth(),
            Clients::VerifiedIfGiven | Clients::Verified => {
                let mut roots = RootCertStore::empty();
                for authority in certificates("client_ca", &tls.client_authorities, &self.client_authorities)?
                {
                    roots
                        .add(authority)
                        .map_err(|error| fault("client_ca", &tls.client_authorities, &error))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                let verifier = if tls.clients == Clients::Verified {
                    verifier
                } else {
                    verifier.allow_unauthenticated()
                };
                let verifier = verifier
                    .build()
                    .map_err(|error| fault("client_ca", &tls.client_authorities, &error))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let chain = certificates("cert", &tls.certificate, &self.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|error| fault("key", &tls.key, &error))?;
        let mut server = builder
            .with_single_cert(chain, key)
            .map_err(|error| fault("cert", &tls.certificate, &error))?;
        server.ignore_client_order = tls.own_order;
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(server)
    }
}

fn versions(tls: &Tls) -> Vec<&'static SupportedProtocolVersion> {
    let newest = tls.newest.unwrap_or(Version::Tls13);
    [
        (Version::Tls13, &version::TLS13),
        (Version::Tls12, &version::TLS12),
    ]
    .into_iter()
    .filter(|(version, _)| (tls.oldest..=newest).contains(version))
    .map(|(_, supported)| supported)
    .collect()
}

/// ring with the suites and curves that are asked for. As in Go, the suites of TLS 1.3 are not chosen among.
fn provider(tls: &Tls) -> Result<CryptoProvider, String> {
    let mut provider = ring::default_provider();
    if !tls.suites.is_empty() {
        let is_of_13 = |suite: &SupportedCipherSuite| suite.tls13().is_some();
        let mut suites: Vec<_> = provider.cipher_suites.iter().copied().filter(is_of_13).collect();
        for name in &tls.suites {
            // Go's names leave out where the hash of a ChaCha20 suite was added later; rustls' enum has the registered ones.
            let same = |suite: &&SupportedCipherSuite| {
                suite
                    .suite()
                    .as_str()
                    .is_some_and(|known| known == name || known.strip_suffix("_SHA256") == Some(name))
            };
            let found = provider.cipher_suites.iter().find(same);
            let found = found.ok_or_else(|| format!("cipher_suites: {name:?} is not supported"))?;
            if !suites.contains(found) {
                suites.push(*found);
            }
        }
        provider.cipher_suites = suites;
    }
    if !tls.curves.is_empty() {
        provider.kx_groups = tls
            .curves
            .iter()
            .map(|name| match &**name {
                "X25519" => Ok(kx_group::X25519),
                "CurveP256" => Ok(kx_group::SECP256R1),
                "CurveP384" => Ok(kx_group::SECP384R1),
                other => Err(format!("curve_preferences: {other:?} is not supported")),
            })
            .collect::<Result<_, _>>()?;
    }
    Ok(provider)
}

fn certificates(field: &str, pem: &Pem, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let parsed: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let parsed = parsed.map_err(|error| fault(field, pem, &error))?;
    if parsed.is_empty() {
        return Err(fault(field, pem, &"there is no certificate in it"));
    }
    Ok(parsed)
}

fn read(pem: &Pem) -> Result<Vec<u8>, String> {
    match pem {
        Pem::None => Ok(Vec::new()),
        Pem::Inline(text) => Ok(text.clone().into_bytes()),
        Pem::File(path) => fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display())),
    }
}

fn fault(field: &str, pem: &Pem, error: &dyn std::fmt::Display) -> String {
    match pem {
        Pem::File(path) => format!("{field}_file: {}: {error}", path.display()),
        Pem::None | Pem::Inline(_) => format!("{field}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(change: impl FnOnce(&mut Tls)) -> Result<ServerConfig, String> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let mut tls = Tls {
            certificate: Pem::Inline(made.cert.pem()),
            key: Pem::Inline(made.signing_key.serialize_pem()),
            ..Tls::default()
        };
        change(&mut tls);
        Material::read(&tls)?.server()
    }

    #[test]
    fn options_reach_the_server() {
        let server = made(|tls| {
            tls.suites = vec!["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256".to_owned()];
            tls.curves = vec!["CurveP384".to_owned()];
            tls.own_order = true;
        })
        .unwrap();
        let of_12 = |suite: &&SupportedCipherSuite| suite.tls13().is_none();
        let provider = server.crypto_provider();
        assert_eq!(provider.cipher_suites.iter().filter(of_12).count(), 1);
        assert!(provider.cipher_suites.len() > 1);
        assert_eq!(provider.kx_groups.len(), 1);
        assert!(server.ignore_client_order);
        let older = Tls {
            newest: Some(Version::Tls12),
            ..Tls::default()
        };
        assert_eq!(versions(&older), [&version::TLS12]);
        let go = "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305".to_owned();
        assert!(made(|tls| tls.suites = vec![go]).is_ok());
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let error = |change: fn(&mut Tls)| made(change).map(|_| ()).unwrap_err();
        for (change, said) in [
            (
                (|tls| tls.suites = vec!["TLS_RSA_WITH_RC4_128_SHA".to_owned()]) as fn(&mut Tls),
                "cipher_suites: \"TLS_RSA_WITH_RC4_128_SHA\" is not supported",
            ),
            (
                |tls| tls.curves = vec!["CurveP521".to_owned()],
                "curve_preferences: \"CurveP521\"",
            ),
            (
                |tls| tls.certificate = Pem::Inline("x".to_owned()),
                "cert: there is no certificate",
            ),
            (|tls| tls.key = Pem::Inline("x".to_owned()), "key: "),
            (
                |tls| tls.certificate = Pem::File("/absent".into()),
                "cannot read /absent: ",
            ),
            (
                |tls| {
                    tls.clients = Clients::Verified;
                    tls.client_authorities = Pem::Inline(String::new());
                },
                "client_ca: there is no certificate",
            ),
            (
                |tls| {
                    let other = rcgen::KeyPair::generate().unwrap();
                    tls.key = Pem::Inline(other.serialize_pem());
                },
                "cert: ",
            ),
        ] {
            let found = error(change);
            assert!(found.contains(said), "{found}");
        }
    }
}
