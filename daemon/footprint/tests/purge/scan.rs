//! A real look at a home, without anything that is no file.

use std::path::Path;

use claudectl_footprint::{
    finding::FingerprintKey,
    scan::{Audit, Meter, Needles, Scope, audit_again},
};

pub(crate) fn look(home: &Path, key: &FingerprintKey, needles: Needles) -> Audit {
    let scope = Scope {
        home,
        variables: Vec::new(),
        working_directory: None,
        directories: &[],
        processes: None,
        programs: Vec::new(),
        system: "linux",
        cheap_only: false,
    };
    audit_again(&scope, &Meter::default(), key.clone(), needles).unwrap()
}
