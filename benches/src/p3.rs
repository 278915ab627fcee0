//! P3: what stands between a client and a fast upstream on loopback, everything on one processor.

mod fronts;
mod latency;
mod load;
mod streams;

use crate::{place::pin, sample::Scale};

/// Measures and prints.
pub(crate) fn run(scale: Scale) {
    pin();
    let fronts = fronts::Fronts::start();
    latency::measure(&fronts, scale);
    load::measure(&fronts, scale);
    drop(fronts);
    streams::measure(scale);
}
