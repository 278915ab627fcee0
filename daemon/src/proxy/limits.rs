//! Every bound of the relay.

use std::time::Duration;

/// Longest head of a request or a response, in bytes. Claude Code sends about 2 KiB.
pub const HEAD: usize = 32 * 1024;

/// Most header fields of one head.
pub const FIELDS: usize = 128;

/// Longest chunk extension, padding included, in bytes. Shorter than any credential, so that none
/// fits in one.
pub const CHUNK_EXTENSION: u8 = 16;

/// Longest trailer section of a response, in bytes.
pub const TRAILERS: u16 = 8 * 1024;

/// Bytes that are read at once, and so the most that a connection keeps unsent in one direction.
pub const SCRATCH: usize = 64 * 1024;

/// Most bytes of a response that wait because they could be the start of the credential.
pub const HELD: usize = SCRATCH / 2;

/// Most bytes that are read ahead from a client that already sends its next request.
pub const READ_AHEAD: usize = 16 * 1024;

/// Longest request that is kept until it is answered, so that it can be sent again with a renewed
/// credential. Most prompts are a tenth of it.
pub const KEPT: usize = 4 * 1024 * 1024;

/// Most bytes that requests of all sessions together keep like that. What does not fit gets whatever
/// answer there is.
pub const KEPT_BY_ALL: usize = 256 * 1024 * 1024;

/// How often a request is sent again because the credential changed before it was out.
pub const AGAIN: u8 = 3;

/// Most bytes of a request body that are read and dropped so that its client hears the answer. The
/// API itself takes 32 MB.
pub const DRAIN: usize = 32 * 1024 * 1024;

/// How long a client may take to send the rest of a head it began, or its first one.
pub const HEAD_TIME: Duration = Duration::from_secs(30);

/// How long a connection or a response may be silent.
pub const IDLE_TIME: Duration = Duration::from_mins(10);

/// How long a client may take to hear an answer and close.
pub const LINGER_TIME: Duration = Duration::from_secs(5);

/// How long it may take altogether until the rest of a request is dropped and its client has closed.
pub const DRAIN_TIME: Duration = Duration::from_secs(30);

/// How long resolving, connecting, the proxy's answer and the TLS handshake may take, each.
pub const CONNECT_TIME: Duration = Duration::from_secs(10);

/// How long an idle connection to an upstream is kept.
pub const POOL_TIME: Duration = Duration::from_secs(30);

/// Most idle connections to one upstream.
pub const POOL_SIZE: usize = 256;

/// How long an idle connection is taken without asking the kernel whether the upstream closed it.
pub const POOL_TRUST: Duration = Duration::from_millis(50);
