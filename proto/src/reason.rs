//! Why a call failed: [`ErrorDetail`] in the details of a [`tonic::Status`], both ways.
//!
//! On the wire it is what every gRPC library expects in `grpc-status-details-bin`: a
//! `google.rpc.Status` with the detail as an `Any`.

use prost::Message as _;
use tonic::{Code, Status};

use crate::v1::{ErrorDetail, Reason};

/// Type of the detail, as `Any` names it.
const TYPE_URL: &str = "type.googleapis.com/claudectl.v1.ErrorDetail";

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<RpcAny>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, prost::Message)]
struct RpcAny {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// A failed call, as a client reads it. There is no way from here to a success.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The gRPC code; never [`Code::Ok`].
    pub code: Code,
    /// Why, for programs; [`Reason::Unspecified`] if the daemon gave none or a newer one.
    pub reason: Reason,
    /// Why, for people. It comes from the other side: print it harmless.
    pub message: String,
    /// What to do about it; empty if nothing comes to mind.
    pub hint: String,
}

/// A status that carries a reason and a hint.
pub fn status(code: Code, reason: Reason, message: impl Into<String>, hint: impl Into<String>) -> Status {
    let message = message.into();
    let detail = ErrorDetail { reason: reason.into(), hint: hint.into() };
    let details = RpcStatus {
        code: code.into(),
        message: message.clone(),
        details: vec![RpcAny { type_url: TYPE_URL.to_owned(), value: detail.encode_to_vec() }],
    };
    Status::with_details(code, message, details.encode_to_vec().into())
}

impl From<&Status> for Failure {
    fn from(status: &Status) -> Self {
        let detail = detail(status.details()).unwrap_or_default();
        let code = match status.code() {
            Code::Ok => Code::Unknown,
            code => code,
        };
        Self { code, reason: detail.reason(), message: status.message().to_owned(), hint: detail.hint }
    }
}

fn detail(bytes: &[u8]) -> Option<ErrorDetail> {
    let details = RpcStatus::decode(bytes).ok()?.details;
    let found = details.into_iter().find(|any| any.type_url == TYPE_URL)?;
    ErrorDetail::decode(found.value.as_slice()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_survives_the_way_there_and_back() {
        for reason in (0..).map_while(|number| Reason::try_from(number).ok()) {
            let sent = status(Code::NotFound, reason, "no such thing", "make one");
            let headers = sent.into_http::<()>().headers().clone();
            let received = Status::from_header_map(&headers).unwrap();
            let expected = Failure {
                code: Code::NotFound,
                reason,
                message: "no such thing".into(),
                hint: "make one".into(),
            };
            assert_eq!(Failure::from(&received), expected);
        }
    }

    #[test]
    fn a_reason_of_a_newer_daemon_stays_a_failure_without_a_reason() {
        let detail = ErrorDetail { reason: 9_999, hint: "upgrade".into() };
        let bytes = RpcStatus {
            code: Code::Internal.into(),
            message: String::new(),
            details: vec![RpcAny { type_url: TYPE_URL.into(), value: detail.encode_to_vec() }],
        }
        .encode_to_vec();
        let failure = Failure::from(&Status::with_details(Code::Internal, "new", bytes.into()));
        assert_eq!((failure.reason, failure.hint.as_str()), (Reason::Unspecified, "upgrade"));
        assert_eq!(failure.code, Code::Internal);
    }

    #[test]
    fn details_that_are_missing_foreign_or_broken_are_no_success() {
        let foreign = RpcStatus {
            code: 0,
            message: String::new(),
            details: vec![RpcAny { type_url: "type.googleapis.com/other".into(), value: vec![8, 2] }],
        };
        for bytes in [Vec::new(), vec![0xff; 9], foreign.encode_to_vec()] {
            let failure = Failure::from(&Status::with_details(Code::Ok, "odd", bytes.into()));
            assert_eq!((failure.code, failure.reason), (Code::Unknown, Reason::Unspecified));
        }
    }
}
