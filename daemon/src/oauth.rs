//! OAuth 2.0 (RFC 6749) as a public client: sign in, refresh, revoke. The protocol only; when to do
//! what is decided by `core`.
//!
//! Every exchange goes over the relay's own connections ([`crate::proxy::upstream`]), so that there is
//! one place for TLS, trust roots, proxies and loopback rules. Tokens, codes and verifiers go from
//! secret pages into zeroized buffers of fixed size and back; an error never carries any of them.

pub mod authority;
mod exchange;
mod gateway;
mod json;
pub mod login;
mod page;
pub mod refresh;
pub mod revoke;
mod terms;
mod text;
mod token;

pub use self::{
    authority::{Authority, AuthorityError, Network},
    login::{Announcement, LoginError},
    refresh::{RefreshOutcome, refresh},
    revoke::revoke,
    terms::{Header, Part, Profile, Revocation},
    token::{AnswerError, TokenAnswer, TokenSet},
};
