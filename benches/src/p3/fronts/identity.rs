//! A certificate authority for one run, and what it issued for the TLS upstream.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::place::Place;

/// Paths of PEM files.
pub(super) struct Identity {
    pub(super) authority: String,
    pub(super) certificate: String,
    pub(super) key: String,
}

pub(super) fn write(place: &Place) -> Identity {
    let mut params = CertificateParams::new([]).expect("no names");
    // Named apart from the leaf: OpenSSL takes a certificate whose issuer has its own name for self-signed.
    params.distinguished_name.push(DnType::CommonName, "bench authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority =
        CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate");
    let key = KeyPair::generate().expect("a key");
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let leaf =
        CertificateParams::new(names).expect("names").signed_by(&key, &authority).expect("a certificate");
    place.write("authority.pem", &authority.pem());
    place.write("leaf.pem", &leaf.pem());
    place.write("leaf.key", &key.serialize_pem());
    Identity {
        authority: place.text("authority.pem"),
        certificate: place.text("leaf.pem"),
        key: place.text("leaf.key"),
    }
}
