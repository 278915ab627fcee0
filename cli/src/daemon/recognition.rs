//! Which account of the daemon a credential belongs to that was found elsewhere. The daemon is shown
//! fingerprints under the key of this run, never a credential.

use std::collections::{BTreeMap, BTreeSet};

use claudectl_footprint::{
    Finding,
    finding::{Fingerprint, FingerprintKey},
};
use claudectl_proto::v1::RecognizeCredentialsRequest;

use super::{Daemon, in_time};
use crate::{args::Environment, error::Error};

/// As many a daemon is asked about at once.
const MOST: usize = 1_000;

/// How far the accounts are known.
#[derive(Debug, Default)]
pub struct Recognition {
    /// Accounts whose credential is not in memory: a finding may be theirs.
    pub unknown: Vec<String>,
    /// Why the daemon did not say; the findings name no account then.
    pub error: Option<Error>,
}

/// Notes in each finding which account holds the same credential; `None` if no daemon runs or nothing was
/// found that could be an account's.
pub async fn recognize(
    findings: &mut [Finding],
    key: &FingerprintKey,
    environment: &Environment,
) -> Option<Recognition> {
    let may_be = |finding: &&Finding| finding.kind.may_be_an_accounts();
    let wanted: BTreeSet<Fingerprint> =
        findings.iter().filter(may_be).map(|finding| finding.fingerprint).collect();
    if wanted.is_empty() {
        return None;
    }
    let wanted: Vec<_> = wanted.into_iter().collect();
    let failed = |error| Some(Recognition { unknown: Vec::new(), error: Some(error) });
    let daemon = match Daemon::find(environment).await {
        Ok(daemon) => daemon?,
        Err(error) => return failed(error),
    };
    match ask(&daemon, &wanted, key).await {
        Ok((accounts, unknown)) => {
            for finding in findings.iter_mut().filter(|finding| finding.kind.may_be_an_accounts()) {
                finding.account = accounts.get(&finding.fingerprint).cloned();
            }
            Some(Recognition { unknown, error: None })
        }
        Err(error) => failed(error),
    }
}

async fn ask(
    daemon: &Daemon,
    wanted: &[Fingerprint],
    key: &FingerprintKey,
) -> Result<(BTreeMap<Fingerprint, String>, Vec<String>), Error> {
    let (mut known, mut unknown) = (BTreeMap::new(), Vec::new());
    for some in wanted.chunks(MOST) {
        let fingerprints = some.iter().map(|one| one.bytes().to_vec()).collect();
        let request = RecognizeCredentialsRequest { key: key.bytes().to_vec(), fingerprints };
        let mut client = daemon.accounts();
        let answer = in_time(async { Ok(client.recognize_credentials(request).await?) }).await?.into_inner();
        if answer.accounts.len() != some.len() {
            return Err(Error::new("claudectld answered about other credentials"));
        }
        let named = some.iter().copied().zip(answer.accounts).filter(|(_, account)| !account.is_empty());
        known.extend(named);
        unknown = answer.unknown;
    }
    Ok((known, unknown))
}
