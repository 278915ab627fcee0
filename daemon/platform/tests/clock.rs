//! What suspend does to the clock and to an alarm: nothing. A suspended machine is one whose boot time has
//! run ahead of its monotonic time; in a time namespace (`time_namespaces(7)`) it has.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

use std::{process::Command, time::Duration};

use claudectl_platform::clock::{Alarm, since_boot};

/// How long the machine of the namespace slept.
const ASLEEP: &str = "100000";

/// `unshare`, in such a namespace.
fn unshare() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--time", "--boottime", ASLEEP, "--fork"]);
    command
}

#[test]
fn the_clock_and_its_alarm_count_the_time_asleep() {
    let possible = unshare().arg("true").output().is_ok_and(|output| output.status.success());
    if !possible {
        let required = std::env::var_os("CLAUDECTL_REQUIRE_ALL").is_some();
        assert!(!required, "CLAUDECTL_REQUIRE_ALL is set, but: no time namespace can be made");
        eprintln!("SKIPPED: no time namespace can be made (root, util-linux, Linux 5.6)");
        return;
    }
    let mut slept = unshare();
    slept.arg(std::env::current_exe().unwrap());
    slept.args(["--exact", "after_the_time_asleep", "--ignored", "--nocapture"]);
    let output = slept.output().unwrap();
    let told = [output.stdout, output.stderr].concat();
    let told = String::from_utf8_lossy(&told);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}

#[tokio::test]
#[ignore = "runs in a time namespace only: the_clock_and_its_alarm_count_the_time_asleep makes one"]
async fn after_the_time_asleep() {
    let awake = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let awake = Duration::from_secs(awake.tv_sec.try_into().unwrap());
    let asleep = since_boot().saturating_sub(awake);
    assert!(asleep > Duration::from_hours(25), "only {asleep:?} asleep");
    let deadline = since_boot() + Duration::from_millis(5);
    let mut alarm = Alarm::new().unwrap();
    let rang = tokio::time::timeout(Duration::from_secs(5), alarm.wait_until(Some(deadline))).await;
    assert!(rang.is_ok(), "the alarm did not ring");
    assert!(since_boot() >= deadline);
}
