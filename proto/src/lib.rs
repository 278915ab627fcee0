//! The gRPC contract between claudectl and claudectld, and the way to its socket.

pub mod client;
pub mod endpoint;
pub mod kept;
pub mod reason;
pub mod record;

/// Messages and services of package `claudectl.v1`.
#[allow(
    clippy::all,
    clippy::pedantic,
    clippy::as_conversions,
    clippy::excessive_nesting,
    clippy::allow_attributes_without_reason,
    missing_docs,
    unreachable_pub,
    reason = "generated code"
)]
pub mod v1 {
    tonic::include_proto!("claudectl.v1");
}

/// The compiled schema (a serialized `google.protobuf.FileDescriptorSet`), for reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
