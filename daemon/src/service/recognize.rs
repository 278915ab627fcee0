//! Which accounts hold credentials that a client has found: between messages and the engine's words.

use claudectl_core::ids::AccountName;
use claudectl_footprint::finding::{Fingerprint, FingerprintKey};
use claudectl_proto::v1;
use tonic::Status;

use super::status;
use crate::{effects::Recognition, engine::Found};

/// As many may be asked about at once.
const MOST: usize = 1_000;

/// What the client has found.
pub(super) fn found(request: v1::RecognizeCredentialsRequest) -> Result<Found, Status> {
    let invalid = |what: &str| status::invalid(what, "");
    let v1::RecognizeCredentialsRequest { key, fingerprints } = request;
    let key: &[u8; 32] = key.as_slice().try_into().map_err(|_| invalid("the key has not 32 bytes"))?;
    if fingerprints.len() > MOST {
        return Err(invalid("more than 1,000 fingerprints"));
    }
    let fingerprint = |bytes: &Vec<u8>| <[u8; 16]>::try_from(bytes.as_slice()).map(Fingerprint::from);
    let fingerprints: Result<_, _> = fingerprints.iter().map(fingerprint).collect();
    let fingerprints = fingerprints.map_err(|_| invalid("a fingerprint has not 16 bytes"))?;
    Ok(Found { key: FingerprintKey::of_bytes(key), fingerprints })
}

/// What it hears.
pub(super) fn answer(recognition: Recognition) -> v1::RecognizeCredentialsResponse {
    let name = |account: Option<AccountName>| account.map(|name| name.to_string()).unwrap_or_default();
    v1::RecognizeCredentialsResponse {
        accounts: recognition.accounts.into_iter().map(name).collect(),
        unknown: recognition.unknown.iter().map(ToString::to_string).collect(),
    }
}
