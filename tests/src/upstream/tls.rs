//! A certificate authority that lives as long as its upstream.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

/// A name that only a proxy can find.
pub const NAME: &str = "upstream.test";

/// Names of the servers that the genuine client signs in at and talks to.
pub const ANTHROPIC: [&str; 5] =
    ["api.anthropic.com", "platform.claude.com", "console.anthropic.com", "claude.ai", "claude.com"];

/// The authority, and what it issued for `127.0.0.1`, `localhost`, [`NAME`] and [`ANTHROPIC`].
pub struct Authority {
    pem: String,
    fingerprint: String,
    acceptor: Arc<ServerConfig>,
}

impl Authority {
    /// A new one.
    pub fn new() -> Self {
        let mut params = CertificateParams::new([]).expect("no names");
        // A leaf of the same name would pass for one that has signed itself.
        params.distinguished_name.push(DnType::CommonName, "authority of a test");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        let authority = CertifiedIssuer::self_signed(params, key).expect("a certificate");

        let key = KeyPair::generate().expect("a key");
        let names = ["localhost", "127.0.0.1", NAME].into_iter().chain(ANTHROPIC);
        let names: Vec<_> = names.map(str::to_owned).collect();
        let leaf = CertificateParams::new(names).expect("names").signed_by(&key, &authority);
        let leaf = leaf.expect("a certificate").der().clone();
        let digest = ring::digest::digest(&ring::digest::SHA256, &leaf);
        let fingerprint =
            digest.as_ref().iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"));
        let chain = vec![leaf, authority.der().clone()];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("a chain that fits its key");
        Self { pem: pem(authority.der()), fingerprint, acceptor: Arc::new(config) }
    }

    /// Its certificate.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// SHA-256 of the certificate that it issued, in hexadecimal digits.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// What a server that it vouches for accepts with.
    pub fn acceptor(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.acceptor)
    }
}

/// RFC 7468 textual encoding.
fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}
