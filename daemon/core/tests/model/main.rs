//! The engine against a reference model, on random histories.
//!
//! `world` and `shell` play everything around the engine: effects are carried out at once or held back
//! and answered later, in any order and in each of their ways. They know what is true of each token;
//! `promises` and `leaving` compare. The other modules follow single promises by hand.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what went wrong by panicking"
)]

mod footprints;
mod history;
mod leaving;
mod promises;
mod receipts;
mod renewing;
mod sealing;
mod shell;
mod steps;
mod world;

use proptest::prelude::*;

use crate::world::World;

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_history_keeps_the_promises(steps in proptest::collection::vec(steps::step(), 1..120)) {
        let mut world = World::new();
        for step in steps {
            world.apply(step);
            world.check();
        }
        world.answer_all();
        world.check_quiet();
    }
}
