//! What is outside the daemon, in words.

use std::fmt::Write as _;

use claudectl_proto::v1::{Footprints, Status};

use crate::{
    commands::audit::Last,
    output::text::{self, BAD, GOOD, Plain, WARN, styled},
};

/// What the daemon knows of it: a section each.
pub(super) fn told(status: &Status, now: i64) -> Vec<String> {
    let footprints = status.footprints.as_ref();
    let footprints = footprints.and_then(|footprints| removed(footprints, now));
    strays(status, now).into_iter().chain(footprints).collect()
}

/// What the guard has noticed; which file it is, `claudectl audit` says.
fn strays(status: &Status, now: i64) -> Option<String> {
    if status.strays.is_empty() {
        return None;
    }
    let mut text = format!("{}  claudectl audit\n", styled(BAD, "Credentials were left outside the daemon:"));
    for stray in &status.strays {
        let (what, done) = (Plain(&stray.what), Plain(&stray.done));
        let whose = match stray.account.as_str() {
            "" => String::new(),
            account => format!(", the key of account {}", Plain(account)),
        };
        let _ = writeln!(text, "  {what}{whose}, {}: {done}", text::ago(stray.noticed_at, now));
    }
    Some(text)
}

/// What became of what other programs left, when it was last removed without being asked.
fn removed(footprints: &Footprints, now: i64) -> Option<String> {
    let heading = |style| styled(style, "Footprints:");
    if footprints.running {
        return Some(format!("{}  what other programs left is being removed\n", heading(WARN)));
    }
    if footprints.at == 0 {
        return None;
    }
    let (when, why) = (text::ago(footprints.at, now), Plain(&footprints.why));
    if !footprints.error.is_empty() {
        let error = Plain(&footprints.error);
        return Some(format!("{}  not removed, {when} {why}: {error}  claudectl purge\n", heading(BAD)));
    }
    let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let gone = text::copies(count(footprints.removed));
    if footprints.left == 0 {
        return Some(format!("{}  {gone} removed, none left, {when} {why}.\n", heading(GOOD)));
    }
    let (left, cure) = (footprints.left, "claudectl purge");
    let mut text = format!("{}  {gone} removed, {left} left, {when} {why}:  {cure}\n", heading(BAD));
    for copy in &footprints.copies {
        let (what, place, why) = (Plain(&copy.what), Plain(&copy.r#where), Plain(&copy.why));
        let _ = writeln!(text, "  {what} in {place}: {why}");
    }
    Some(text)
}

/// What the last audit found, and how long ago that was: looking itself would take too long.
pub(super) fn audited(last: Last, now: i64) -> String {
    let when = text::ago(last.at, now);
    match last {
        Last { findings: 0, gaps: 0, .. } => {
            format!(
                "{}  No credential outside the daemon, {when}.  claudectl audit\n",
                styled(GOOD, "Audit:")
            )
        }
        Last { findings: 0, .. } => {
            let gaps = "nothing found, but not everything could be looked at";
            format!("{}  {gaps}, {when}.  claudectl audit\n", styled(WARN, "Audit:"))
        }
        Last { findings, high, .. } => {
            let found = text::copies(findings);
            let found = format!("{found} of credentials outside the daemon, {high} of them severe");
            format!("{}  {found}, {when}.  claudectl audit\n", styled(WARN, "Audit:"))
        }
    }
}

#[cfg(test)]
mod tests {
    use claudectl_proto::v1::FootprintLeft;

    use super::*;

    #[test]
    fn says_what_became_of_footprints_and_why_any_is_left() {
        let told = |footprints: Footprints| {
            let text =
                super::told(&Status { footprints: Some(footprints), ..Status::default() }, 1_000).concat();
            anstream::adapter::strip_str(&text).to_string()
        };
        let enabled = Footprints { enabled: true, ..Footprints::default() };
        assert_eq!(told(enabled.clone()), "");
        let running = Footprints { running: true, ..enabled.clone() };
        assert_eq!(told(running), "Footprints:  what other programs left is being removed\n");
        let why = "because the screen was locked".to_owned();
        let done = Footprints { at: 940, why, removed: 1, ..enabled };
        let expected = "Footprints:  1 copy removed, none left, 1 min ago because the screen was locked.\n";
        assert_eq!(told(done.clone()), expected);
        let copy = FootprintLeft { what: "API key".into(), r#where: "/x".into(), why: "read-only".into() };
        let some = Footprints { left: 1, copies: vec![copy], removed: 2, ..done.clone() };
        let expected = "Footprints:  2 copies removed, 1 left, 1 min ago because the screen was locked:  \
                        claudectl purge\n  API key in /x: read-only\n";
        assert_eq!(told(some), expected);
        let failed = Footprints { error: "another purge runs".into(), ..done };
        let expected = "Footprints:  not removed, 1 min ago because the screen was locked: \
                        another purge runs  claudectl purge\n";
        assert_eq!(told(failed), expected);
    }
}
