//! The local record: what happened, for `claudectl log`. Its form: `claudectl_proto::record`.

mod witness;
mod writer;

pub use witness::{Departure, News, Occasion, Witness};
pub use writer::{Record, State};
