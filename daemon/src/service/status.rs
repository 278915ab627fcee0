//! Refusal → gRPC status. The one table.

use claudectl_core::error::Refusal;
use claudectl_proto::{reason, v1::Reason};
use tonic::{Code, Status};

use crate::{effects::TooMany, engine::Gone};

/// The status that tells a client what was refused, why, and what to do about it.
pub(super) fn refused(refusal: &Refusal) -> Status {
    let (code, reason, hint) = classify(refusal);
    reason::status(code, reason, refusal.to_string(), hint)
}

/// The request itself is wrong.
pub(super) fn invalid(message: &(impl ToString + ?Sized), hint: &str) -> Status {
    reason::status(Code::InvalidArgument, Reason::InvalidArgument, message.to_string(), hint)
}

/// The daemon is stopping.
pub(super) fn gone(_: Gone) -> Status {
    refused(&Refusal::Stopping)
}

/// The configuration file is wrong.
pub(super) fn bad_configuration(message: String) -> Status {
    let hint = "mend the file and run `claudectl reload`; the old rules stay in force";
    reason::status(Code::FailedPrecondition, Reason::BadConfiguration, message, hint)
}

/// More credentials than anybody finds were asked about.
pub(super) fn too_many(error: TooMany) -> Status {
    let hint = "ask again in a minute";
    reason::status(Code::ResourceExhausted, Reason::LimitReached, error.to_string(), hint)
}

const GENUINE_ONLY: &str =
    "use an account with an API key (--account NAME); the genuine one runs as `claude`, in its native build";

fn classify(refusal: &Refusal) -> (Code, Reason, &'static str) {
    match refusal {
        Refusal::NotLoggedIn(_) | Refusal::NothingLoggedIn => {
            (Code::FailedPrecondition, Reason::NotLoggedIn, "log in with `claudectl login`")
        }
        Refusal::NoDefault(_) => (
            Code::FailedPrecondition,
            Reason::NoDefaultAccount,
            "name one with --account, or make one the default with `claudectl switch`",
        ),
        Refusal::Denied { .. } => (
            Code::PermissionDenied,
            Reason::Denied,
            "use another account here (--account), or change the [[rule]] in config.toml",
        ),
        Refusal::Sealed(_) => {
            (Code::FailedPrecondition, Reason::Sealed, "load it from the keyring with `claudectl unseal`")
        }
        Refusal::NotKept(_) => {
            (Code::FailedPrecondition, Reason::NotKept, "log in again with --keep, or log it out instead")
        }
        Refusal::LoginNeeded { .. } => {
            (Code::FailedPrecondition, Reason::LoginNeeded, "log in again with `claudectl login`")
        }
        Refusal::UnknownAuthority(_) => {
            (Code::NotFound, Reason::UnknownAuthority, "add it to config.toml and run `claudectl reload`")
        }
        Refusal::OtherKind { .. } => {
            (Code::FailedPrecondition, Reason::InvalidArgument, "start the program anew under that account")
        }
        Refusal::GenuineOnly(_) => (Code::FailedPrecondition, Reason::InvalidArgument, GENUINE_ONLY),
        Refusal::NotAuthorized { hint, .. } => (Code::PermissionDenied, Reason::NotAuthorized, hint),
        Refusal::Keyring { hint, .. } => (Code::Unavailable, Reason::Keyring, hint),
        Refusal::NotACredential(_) => (
            Code::InvalidArgument,
            Reason::NotACredential,
            "copy the whole key from https://platform.claude.com/settings/keys",
        ),
        Refusal::CredentialRefused { .. } => (
            Code::PermissionDenied,
            Reason::CredentialRefused,
            "check that the key is not disabled and belongs to this upstream",
        ),
        Refusal::UpstreamUnreachable { .. } => (
            Code::Unavailable,
            Reason::UpstreamUnreachable,
            "check the network, or log in without asking: `--offline`",
        ),
        Refusal::IntakeFailed(_) => (Code::Aborted, Reason::IntakeFailed, "run the login again"),
        Refusal::BadRoute(_) => (Code::InvalidArgument, Reason::InvalidArgument, ""),
        Refusal::UnknownSession(_) => {
            (Code::NotFound, Reason::UnknownSession, "`claudectl sessions` lists them")
        }
        Refusal::LimitReached { .. } => {
            (Code::ResourceExhausted, Reason::LimitReached, "raise it under [limits] in config.toml")
        }
        Refusal::Resource(_) => {
            (Code::Unavailable, Reason::Resource, "`claudectl doctor` looks for the cause")
        }
        Refusal::Stopping => (Code::Unavailable, Reason::Stopping, "try again in a moment"),
    }
}
