//! Relays a session's requests to its account's upstream, byte for byte, with the credential put in
//! on the way.

pub mod upstream;
