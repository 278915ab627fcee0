//! A process that is killed while it stores leaves the old record or the new one.

use claudectl_tests::need;
use nix::sys::signal::Signal;
use serde_json::json;

use crate::{
    probe::fingerprint,
    rig::{Rig, asking, delete, list, load, store},
};

/// So few bytes to an entry that a record has several parts.
const SMALL: u64 = 128;

#[test]
fn a_record_in_parts_is_stored_replaced_and_deleted_without_a_rest() {
    let rig = need!(Rig::unlocked());
    let (key, later) = (rig.sandbox.key(), rig.sandbox.key());
    let mut probe = rig.probe(&[("PROBE_LIMIT", SMALL)]);
    probe.store("work", &key);
    probe.assert_kept("work", &key);
    probe.store("work", &later);
    probe.assert_kept("work", &later);
    // A process without the limit sees every entry by its own name.
    let entries = rig.probe(&[]).ask(&list());
    assert_eq!(entries["accounts"], json!(["work"]), "{entries}");
    assert_eq!(probe.ask(&delete("work"))["existed"], true);
    assert_eq!(probe.ask(&list())["accounts"], json!([]));
    rig.sandbox.assert_clean(&[probe.program.pid()]);
}

#[test]
fn killed_between_two_steps_it_leaves_the_old_record_or_the_new_one() {
    let rig = need!(Rig::unlocked());
    let mut kept = rig.sandbox.key();
    rig.probe(&[("PROBE_LIMIT", SMALL)]).store("work", &kept);
    let (mut old, mut new) = (0, 0);
    for round in 0..12 {
        let next = rig.sandbox.key();
        let mut victim = rig.probe(&[("PROBE_LIMIT", SMALL)]);
        victim.send(&store("work", &next));
        // Somewhere in the middle, from before the first step to after the last.
        std::thread::sleep(std::time::Duration::from_millis(round * 110));
        victim.program.signal(Signal::SIGKILL);
        victim.program.wait();
        let loaded = rig.probe(&[("PROBE_LIMIT", SMALL)]).ask(&asking(load("work")));
        let found = loaded["secrets"]["access"].as_u64();
        if found == Some(fingerprint(next.as_bytes())) {
            new += 1;
            kept = next;
        } else {
            assert_eq!(found, Some(fingerprint(kept.as_bytes())), "{loaded}");
            old += 1;
        }
    }
    eprintln!("killed 12 times while storing: {old} × the old record, {new} × the new one");
    let mut probe = rig.probe(&[("PROBE_LIMIT", SMALL)]);
    // The next store takes away what the killed ones left.
    probe.store("work", &kept);
    assert_eq!(probe.ask(&delete("work"))["existed"], true);
    assert_eq!(probe.ask(&list())["accounts"], json!([]));
}
