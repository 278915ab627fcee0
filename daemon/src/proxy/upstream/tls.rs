//! What an upstream's certificate is checked against.

use std::{fmt::Write as _, path::PathBuf, sync::Arc};

use ring::digest;
use rustls::{
    ClientConfig,
    client::{Resumption, danger::ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use rustls_platform_verifier::Verifier;
use tokio_rustls::TlsConnector;

use super::{Fingerprint, RouteError, pin::Pinned};

/// Sessions that can be resumed. There are only ever connections to one server.
const RESUMABLE: usize = 4;

/// Trust roots, read once, and the name that the upstream's certificate must have.
#[derive(Debug)]
pub(super) struct Trust {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    told: String,
    ca_digest: Option<String>,
}

/// Further trust roots, and what they were read from.
struct Roots {
    certificates: Vec<CertificateDer<'static>>,
    /// SHA-256 of the file, in hexadecimal.
    digest: String,
}

impl Trust {
    /// Reads the platform's roots and those of `ca_file`.
    pub(super) async fn load(
        ca_file: Option<String>,
        host: &str,
        pin: Option<Fingerprint>,
    ) -> Result<Self, RouteError> {
        let name =
            ServerName::try_from(host.to_owned()).map_err(|_| RouteError::Authority(host.to_owned()))?;
        let read = tokio::task::spawn_blocking(move || read(ca_file, pin));
        let (config, told, ca_digest) =
            read.await.map_err(|error| RouteError::Roots(error.to_string()))??;
        Ok(Self { config: Arc::new(config), name, told, ca_digest })
    }

    pub(super) fn told(&self) -> &str {
        &self.told
    }

    pub(super) fn ca_digest(&self) -> Option<&str> {
        self.ca_digest.as_deref()
    }

    pub(super) fn connector(&self) -> (TlsConnector, ServerName<'static>) {
        (TlsConnector::from(Arc::clone(&self.config)), self.name.clone())
    }
}

/// The configuration, what it trusts in words, and the digest of `ca_file`.
fn read(
    ca_file: Option<String>,
    pin: Option<Fingerprint>,
) -> Result<(ClientConfig, String, Option<String>), RouteError> {
    let mut told =
        "the platform's roots (or those of SSL_CERT_FILE and SSL_CERT_DIR, if the daemon was started with them)"
            .to_owned();
    let (extra, ca_digest) = match ca_file {
        None => (Vec::new(), None),
        Some(path) => {
            let Roots { certificates, digest } = read_ca_file(&path)?;
            told = format!("{told} and {} of {path}", certificates.len());
            (certificates, Some(digest))
        }
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider))
        .map_err(|error| RouteError::Roots(error.to_string()))?;
    let verifier: Arc<dyn ServerCertVerifier> = match pin {
        None => Arc::new(verifier),
        Some(pin) => {
            told = format!("{told}, and its certificate {pin} alone");
            Arc::new(Pinned { platform: verifier, pin })
        }
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| RouteError::Roots(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.resumption = Resumption::in_memory_sessions(RESUMABLE);
    Ok((config, told, ca_digest))
}

fn read_ca_file(path: &str) -> Result<Roots, RouteError> {
    let refused = |why: String| RouteError::CaFile { path: PathBuf::from(path), why };
    let pem = std::fs::read(path).map_err(|error| refused(error.to_string()))?;
    let roots: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match roots {
        Ok(roots) if roots.is_empty() => Err(refused("no certificate in it (PEM is expected)".into())),
        Ok(certificates) => Ok(Roots { certificates, digest: digest_of(&pem) }),
        Err(error) => Err(refused(error.to_string())),
    }
}

fn digest_of(bytes: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
