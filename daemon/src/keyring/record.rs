//! What is written into the keyring: everything an account needs to live again.

use std::{io, sync::Arc};

use claudectl_platform::memory::{MemoryError, SecretPage};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What every record starts with; the number is the version of the format.
const MAGIC: &[u8] = b"claudectl-account/";
const VERSION: u32 = 1;
/// The longest the description may be, in bytes.
const LONGEST: usize = 64 * 1024;

/// An account, with its credential. The keyring encrypts it; nothing here does.
#[derive(Debug, Clone)]
pub struct Record {
    /// Everything that is no secret.
    pub details: Details,
    /// The API key or access token.
    pub access: Arc<SecretPage>,
    /// What gets a new one.
    pub refresh: Option<Arc<SecretPage>>,
}

/// Everything about an account that is no secret. A field that is added later must have a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// Its name.
    pub account: String,
    /// Kind of its credential: `api_key`, `oauth`, `subscription`.
    pub kind: String,
    /// How it is injected: `x-api-key`, `bearer`.
    pub header: String,
    /// Base URL of its upstream.
    pub upstream: String,
    /// HTTP proxy to tunnel through.
    pub proxy: Option<String>,
    /// PEM file of further trust roots.
    pub ca_file: Option<String>,
    /// What proves that this file still is what it was at login.
    pub ca_digest: Option<String>,
    /// The authorization server, as its own room describes it.
    pub authority: Option<serde_json::Value>,
    /// When the access token ends.
    pub expires: Option<Expires>,
    /// Who it belongs to, as far as the server told.
    pub profile: Profile,
    /// Whether the upstream accepted the credential at login.
    pub checked: bool,
    /// When it was logged in: seconds since the Unix epoch.
    pub logged_in_at: i64,
}

/// When an access token ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expires {
    /// Seconds since the Unix epoch, by the wall clock of this machine at the time it was issued.
    pub at: i64,
    /// How long it was issued for, in seconds: it never lives longer, whatever the clocks say.
    pub lifetime: u64,
}

/// Who an account belongs to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// E-mail address.
    pub email: Option<String>,
    /// Organisation.
    pub organization: Option<String>,
    /// Plan.
    pub plan: Option<String>,
    /// What the token may be used for.
    pub scopes: Vec<String>,
}

/// Why a record cannot be written or read. None of these ever carries any of it.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// There is nothing left to write.
    #[error("the credential was wiped meanwhile")]
    Wiped,
    /// Another program's entry, or a damaged one.
    #[error("the entry in the keyring is not one of claudectl's, or is damaged: {0}")]
    Damaged(&'static str),
    /// A later claudectl wrote it.
    #[error("the entry in the keyring has format {found}; this claudectl knows {VERSION}")]
    Version {
        /// Its format.
        found: u32,
    },
    /// The entry of another account.
    #[error("the entry in the keyring belongs to another account")]
    OtherAccount,
    /// No secret page was to be had.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

impl Record {
    /// The same in pages of its own: wiping the others does not reach them.
    ///
    /// # Errors
    /// [`RecordError`]: they are wiped already, or there are no pages to be had.
    pub fn copied(&self) -> Result<Self, RecordError> {
        let copy = |page: &Arc<SecretPage>| page.expose(self::page).ok_or(RecordError::Wiped)?;
        let refresh = self.refresh.as_ref().map(copy).transpose()?;
        Ok(Self { details: self.details.clone(), access: copy(&self.access)?, refresh })
    }

    /// The record as bytes: a line with the format and the three lengths, then the three parts. The
    /// buffer has its full size from the start, so that no smaller one is left behind.
    pub(super) fn encode(&self) -> Result<Zeroizing<Vec<u8>>, RecordError> {
        let details =
            serde_json::to_vec(&self.details).map_err(|_| RecordError::Damaged("it cannot be written"))?;
        let refresh = self.refresh.as_ref().map_or(0, |page| page.len());
        let head = format!("{VERSION} {} {} {refresh}\n", details.len(), self.access.len());
        let whole = MAGIC.len() + head.len() + details.len() + self.access.len() + refresh;
        let mut bytes = Zeroizing::new(Vec::with_capacity(whole));
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(&details);
        for page in std::iter::once(&self.access).chain(&self.refresh) {
            let room = whole - bytes.len();
            // A page may be wiped at any time; none grows.
            page.expose(|secret| {
                bytes.extend_from_slice(secret.get(..room.min(secret.len())).unwrap_or_default());
            })
            .ok_or(RecordError::Wiped)?;
        }
        if bytes.len() == whole { Ok(bytes) } else { Err(RecordError::Wiped) }
    }

    /// Reads it back; the secrets go straight into pages.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let [details, access, refresh] = split(bytes)?;
        let details = serde_json::from_slice(details).map_err(|_| RecordError::Damaged("its description"))?;
        let refresh = if refresh.is_empty() { None } else { Some(page(refresh)?) };
        Ok(Self { details, access: page(access)?, refresh })
    }
}

/// The description, the access token and the refresh token.
fn split(bytes: &[u8]) -> Result<[&[u8]; 3], RecordError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(RecordError::Damaged("its beginning"))?;
    let end = rest.iter().take(64).position(|byte| *byte == b'\n').ok_or(RecordError::Damaged("its head"))?;
    let (head, rest) = rest.split_at(end);
    let head = str::from_utf8(head).map_err(|_| RecordError::Damaged("its head"))?;
    let (version, lengths) = head.split_once(' ').ok_or(RecordError::Damaged("its head"))?;
    match version.parse() {
        Ok(VERSION) => {}
        Ok(found) => return Err(RecordError::Version { found }),
        Err(_) => return Err(RecordError::Damaged("its version")),
    }
    let lengths: Result<Vec<usize>, _> = lengths.split(' ').map(str::parse).collect();
    let Ok([details, access, refresh]) = lengths.as_deref() else {
        return Err(RecordError::Damaged("its lengths"));
    };
    let too_long = *details > LONGEST || *access > SecretPage::LIMIT || *refresh > SecretPage::LIMIT;
    let rest = rest.get(1..).unwrap_or_default();
    if too_long || *access == 0 || details + access + refresh != rest.len() {
        return Err(RecordError::Damaged("its lengths"));
    }
    let (details, secrets) = rest.split_at(*details);
    let (access, refresh) = secrets.split_at(*access);
    Ok([details, access, refresh])
}

fn page(mut secret: &[u8]) -> Result<Arc<SecretPage>, RecordError> {
    Ok(Arc::new(SecretPage::fill(|free| io::Read::read(&mut secret, free))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn details() -> Details {
        Details {
            account: "work".into(),
            kind: "oauth".into(),
            header: "bearer".into(),
            upstream: "https://gateway.example".into(),
            proxy: None,
            ca_file: Some("/etc/ca.pem".into()),
            ca_digest: None,
            authority: Some(serde_json::json!({"issuer": "https://login.example"})),
            expires: Some(Expires { at: 1_800_000_000, lifetime: 3600 }),
            profile: Profile { email: Some("me@example.org".into()), ..Profile::default() },
            checked: true,
            logged_in_at: 1_790_000_000,
        }
    }

    fn record(refresh: Option<&[u8]>) -> Record {
        let refresh = refresh.map(|token| page(token).unwrap());
        Record { details: details(), access: page(b"sk-ant-api03-TESTACCESS").unwrap(), refresh }
    }

    fn secret(page: &SecretPage) -> Vec<u8> {
        page.expose(<[u8]>::to_vec).unwrap()
    }

    #[test]
    fn reads_back_what_was_written() {
        for refresh in [None, Some(&b"TESTREFRESH"[..])] {
            let bytes = record(refresh).encode().unwrap();
            let back = Record::decode(&bytes).unwrap();
            assert_eq!(back.details, details());
            assert_eq!(secret(&back.access), b"sk-ant-api03-TESTACCESS");
            assert_eq!(back.refresh.as_deref().map(secret).as_deref(), refresh);
        }
    }

    #[test]
    fn the_buffer_never_grows() {
        let bytes = record(Some(b"TESTREFRESH")).encode().unwrap();
        assert_eq!(bytes.len(), bytes.capacity());
    }

    #[test]
    fn what_was_wiped_is_not_written() {
        let record = record(None);
        record.access.wipe();
        assert!(matches!(record.encode(), Err(RecordError::Wiped)));
    }

    #[test]
    fn every_cut_and_every_changed_byte_is_a_named_error_or_no_harm() {
        let bytes = record(Some(b"TESTREFRESH")).encode().unwrap();
        for end in 0..bytes.len() {
            assert!(Record::decode(&bytes[..end]).is_err(), "{end}");
        }
        for place in 0..bytes.len() {
            let mut changed = bytes.to_vec();
            changed[place] ^= 0x20;
            drop(Record::decode(&changed));
        }
    }

    #[test]
    fn a_later_format_is_told_apart_from_garbage() {
        let later = [MAGIC, b"2 1 1 0\n{}x"].concat();
        assert!(matches!(Record::decode(&later), Err(RecordError::Version { found: 2 })));
        assert!(matches!(Record::decode(b"hunter2"), Err(RecordError::Damaged(_))));
        let without_access = [MAGIC, b"1 2 0 0\n{}"].concat();
        assert!(matches!(Record::decode(&without_access), Err(RecordError::Damaged(_))));
        let overflow = [MAGIC, format!("1 {0} {0} {0}\n", usize::MAX).as_bytes()].concat();
        assert!(matches!(Record::decode(&overflow), Err(RecordError::Damaged(_))));
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", record(Some(b"TESTREFRESH")));
        assert!(!shown.contains("TESTACCESS") && !shown.contains("TESTREFRESH"), "{shown}");
    }

    proptest::proptest! {
        #[test]
        fn garbage_is_refused(bytes: Vec<u8>, after_magic: bool) {
            let start: &[u8] = if after_magic { b"claudectl-account/1 " } else { b"" };
            let garbage = [start, &bytes].concat();
            proptest::prop_assert!(Record::decode(&garbage).is_err());
        }
    }
}
