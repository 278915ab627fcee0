//! The status in words.

use claudectl_footprint::catalog::environment::{Role, Variable};
use claudectl_proto::v1::Status;

use super::{account_here, is_held, is_safe_to_leave, outside};
use crate::commands::audit::Last;
use crate::kept::Doubt;
use crate::output::text::{self, BAD, BOLD, DIM, GOOD, Plain, WARN, styled};

/// The status in words.
pub(super) fn told(
    status: Option<&Status>,
    asked_for: &str,
    overriding: &[&Variable],
    last: Option<Last>,
    now: i64,
) -> String {
    let mut sections = match status {
        Some(status) if !status.accounts.is_empty() => held(status, asked_for, now),
        _ => vec![format!("{}  Nothing is held here.  claudectl login\n", styled(BOLD, "Logged out."))],
    };
    if let Some(status) = status {
        sections.extend(complaints(status));
    }
    sections.extend(status.into_iter().flat_map(|status| outside::told(status, now)));
    sections.extend(environment(overriding));
    sections.extend(last.map(|last| outside::audited(last, now)));
    sections.join("\n")
}

/// Lists of kept accounts that cannot be read.
pub(super) fn doubts(doubts: &[Doubt]) -> String {
    let line = |doubt: &Doubt| {
        let (place, why) = (Plain(&doubt.place), Plain(&doubt.why));
        format!("\n{} {place}: {why}. Nobody knows what it listed.\n", styled(BAD, "kept accounts:"))
    };
    doubts.iter().map(line).collect()
}

fn held(status: &Status, asked_for: &str, now: i64) -> Vec<String> {
    let held = status.accounts.iter().filter(|account| is_held(account)).count();
    let number = text::count(held, "credential");
    let safe = if held == 0 {
        format!("{}  Nothing is held in memory.\n", styled(GOOD, "Safe to leave."))
    } else if is_safe_to_leave(status) {
        let safe = styled(GOOD, "Safe to leave, with the screen locked.");
        format!("{safe}  {number} held; locking the screen seals or logs out.\n")
    } else {
        let why = if status.desktop_sources.is_empty() {
            "nobody here tells when the screen is locked"
        } else {
            "the configuration ignores the screen lock"
        };
        format!("{}  {number} held, and {why}: claudectl logout --all\n", styled(WARN, "Not safe to leave."))
    };
    let mut sections = vec![safe + &ignored(status), here(status, asked_for, now)];
    if status.accounts.len() > 1 {
        sections.push(format!("{}\n{}", styled(BOLD, "Accounts"), text::accounts(&status.accounts)));
    }
    if !status.sessions.is_empty() {
        sections.push(format!("{}\n{}", styled(BOLD, "Sessions"), text::sessions(&status.sessions, now)));
    }
    sections
}

/// What the configuration ignores, besides the screen lock of every account, which is said already.
fn ignored(status: &Status) -> String {
    let ignored: Vec<_> = status
        .reactions
        .iter()
        .filter(|reaction| reaction.reaction == "ignore")
        .map(|reaction| match reaction.account.as_str() {
            "" => reaction.trigger.clone(),
            account => format!("{} (account {})", reaction.trigger, Plain(account)),
        })
        .collect();
    if ignored.is_empty() {
        return String::new();
    }
    format!("{} {}\n", styled(WARN, "The configuration ignores:"), ignored.join(", "))
}

fn here(status: &Status, asked_for: &str, now: i64) -> String {
    let why = status.here.as_ref().map(|here| here.why.as_str());
    let Some(account) = account_here(status, asked_for) else {
        if let Some(why) = why {
            let is_sealed = status.here.as_ref().is_some_and(|here| here.is_sealed);
            let cure = if is_sealed { ": claudectl unseal" } else { "" };
            return format!("{}  {}{cure}\n", styled(WARN, "No session would start here:"), Plain(why));
        }
        return if asked_for.is_empty() {
            format!("{}  claudectl switch NAME\n", styled(WARN, "No account is the default."))
        } else {
            let what = styled(WARN, "The account of this environment is not logged in.");
            format!("{what}  claudectl login {}\n", Plain(asked_for))
        };
    };
    let route = account.route.clone().unwrap_or_default();
    let checked = if account.checked { ", accepted by the upstream" } else { "" };
    let kind = text::kind(account.kind());
    let mut rows = vec![
        row("account", format!("{} ({kind}{checked})", Plain(&account.name))),
        row("upstream", Plain(text::upstream(&route.upstream)).to_string()),
    ];
    if let Some(why) = why {
        rows.insert(1, row("because", Plain(why).to_string()));
    }
    if !route.proxy.is_empty() {
        rows.push(row("proxy", Plain(&route.proxy).to_string()));
    }
    if !route.ca_file.is_empty() {
        rows.push(row("trusts", Plain(&route.ca_file).to_string()));
    }
    rows.extend(text::whose(account).map(|whose| row("belongs to", whose)));
    if !account.authority.is_empty() {
        rows.push(row("signed in at", Plain(&account.authority).to_string()));
    }
    rows.push(row("logged in", text::ago(account.logged_in_at, now)));
    if account.expires_at > 0 {
        let then = if account.renewable { "renewed before that" } else { "then a new login is needed" };
        rows.push(row("access ends", format!("{}, {then}", text::until(account.expires_at, now))));
    }
    let scopes = account.profile.clone().unwrap_or_default().scopes;
    if !scopes.is_empty() {
        rows.push(row("may", Plain(&scopes.join(" ")).to_string()));
    }
    let notes = text::holding(account);
    if !notes.is_empty() {
        rows.push(row("note", notes));
    }
    if account.kept {
        rows.push(row(
            "keyring",
            "any process of yours can read the copy there while it is unlocked".to_owned(),
        ));
    }
    format!("{}\n{}", styled(BOLD, "A session started here uses"), text::columns(&rows))
}

fn row(label: &str, value: String) -> [String; 2] {
    [label.to_owned(), value]
}

/// What is not as it should be with the daemon itself.
fn complaints(status: &Status) -> Vec<String> {
    let mut lines = Vec::new();
    for protection in status.protections.iter().filter(|protection| !protection.active) {
        let (name, detail) = (Plain(&protection.name), Plain(&protection.detail));
        lines.push(format!("{} no {name}: {detail}\n", styled(WARN, "protection:")));
    }
    if let Some(configuration) = status.configuration.as_ref().filter(|found| !found.error.is_empty()) {
        let error = Plain(&configuration.error);
        lines.push(format!("{} the file was not taken: {error}\n", styled(BAD, "configuration:")));
    }
    if lines.is_empty() { lines } else { vec![lines.concat()] }
}

fn environment(overriding: &[&Variable]) -> Option<String> {
    if overriding.is_empty() {
        return None;
    }
    let rows: Vec<_> =
        overriding.iter().map(|variable| row(variable.name, effect(variable.role).to_owned())).collect();
    let heading = styled(WARN, "This environment would override the account outside a session");
    let note = styled(DIM, "Sessions do not get these.");
    Some(format!("{heading}\n{}  {note}\n", text::columns(&rows)))
}

fn effect(role: Role) -> &'static str {
    match role {
        Role::Credential => "a credential that would pay instead",
        Role::Provider => "another provider that would bill",
        Role::Destination => "another address that would get the requests",
        Role::Login => "changes how a login behaves",
    }
}

#[cfg(test)]
mod tests {
    use claudectl_footprint::catalog::environment::lookup;
    use claudectl_proto::v1::{
        Account, Configuration, CredentialKind, Here, Profile, Protection, Reaction, Route,
    };

    use super::*;

    fn account(name: &str, is_default: bool) -> Account {
        let route = Route { upstream: "https://gateway.example".into(), ..Route::default() };
        Account {
            name: name.into(),
            kind: CredentialKind::ApiKey.into(),
            is_default,
            route: Some(route),
            logged_in_at: 940,
            checked: true,
            ..Account::default()
        }
    }

    fn plain(status: Option<&Status>, overriding: &[&Variable]) -> String {
        anstream::adapter::strip_str(&told(status, "", overriding, None, 1_000)).to_string()
    }

    #[test]
    fn logged_out_it_shows_the_login_line_and_nothing_personal() {
        let configuration =
            Configuration { path: "/home/jane/.config/claudectl/config.toml".into(), ..Default::default() };
        let idle = Status { pid: 7, configuration: Some(configuration), ..Status::default() };
        let expected = "Logged out.  Nothing is held here.  claudectl login\n";
        assert_eq!(plain(None, &[]), expected);
        assert_eq!(plain(Some(&idle), &[]), expected);
    }

    #[test]
    fn held_it_says_what_a_session_uses_and_what_would_override_it() {
        let status = Status {
            accounts: vec![account("work", true)],
            default_account: "work".into(),
            ..Status::default()
        };
        let key = lookup("ANTHROPIC_API_KEY").unwrap();
        assert_eq!(
            plain(Some(&status), &[key]),
            "Not safe to leave.  1 credential held, and nobody here tells when the screen is locked: claudectl logout --all\n\n\
             A session started here uses\n  account    work (API key, accepted by the upstream)\n  \
             upstream   https://gateway.example\n  logged in  1 min ago\n\n\
             This environment would override the account outside a session\n  \
             ANTHROPIC_API_KEY  a credential that would pay instead\n  Sessions do not get these.\n"
        );
    }

    #[test]
    fn says_what_the_configuration_ignores() {
        let reaction = |trigger: &str, account: &str, reaction: &str| Reaction {
            trigger: trigger.into(),
            account: account.into(),
            reaction: reaction.into(),
        };
        let status = Status {
            accounts: vec![account("work", true)],
            reactions: vec![
                reaction("screen-lock", "", "purge"),
                reaction("suspend", "", "ignore"),
                reaction("idle", "work", "ignore"),
            ],
            ..Status::default()
        };
        let text = plain(Some(&status), &[]);
        assert!(text.contains("\nThe configuration ignores: suspend, idle (account work)\n"), "{text}");
    }

    #[test]
    fn says_what_the_last_audit_found_and_when() {
        let last = |findings, gaps| Some(Last { findings, high: 1, gaps, at: 940 });
        let line = |last| anstream::adapter::strip_str(&told(None, "", &[], last, 1_000)).to_string();
        let expected = "Audit:  2 copies of credentials outside the daemon, 1 of them severe, 1 min ago.  claudectl audit\n";
        assert!(line(last(2, 0)).ends_with(expected), "{}", line(last(2, 0)));
        assert!(line(last(1, 0)).contains("1 copy of"));
        assert!(line(last(0, 0)).contains("No credential outside the daemon, 1 min ago."));
        assert!(line(last(0, 3)).contains("not everything could be looked at"));
    }

    #[test]
    fn an_account_that_signed_in_shows_whose_it_is_what_it_may_and_until_when() {
        let profile = Profile {
            email: "jane@example.org".into(),
            organization: "Example".into(),
            plan: "max".into(),
            scopes: vec!["openid".into(), "user:inference".into()],
        };
        let signed_in = Account {
            kind: CredentialKind::Oauth.into(),
            checked: false,
            authority: "acme".into(),
            profile: Some(profile),
            expires_at: 1_000 + 3_600,
            renewable: true,
            ..account("work", true)
        };
        let status =
            Status { accounts: vec![signed_in], default_account: "work".into(), ..Status::default() };
        let text = plain(Some(&status), &[]);
        for line in [
            "account       work (OAuth)",
            "belongs to    jane@example.org, Example (max)",
            "signed in at  acme",
            "access ends   in 1 h, renewed before that",
            "may           openid user:inference",
        ] {
            assert!(text.contains(&format!("  {line}\n")), "{line:?} in {text}");
        }
    }

    #[test]
    fn without_a_default_it_does_not_guess() {
        let status = Status { accounts: vec![account("a", false), account("b", false)], ..Status::default() };
        assert!(account_here(&status, "").is_none());
        assert_eq!(account_here(&status, "b").map(|account| account.name.as_str()), Some("b"));
        assert!(plain(Some(&status), &[]).contains("No account is the default.  claudectl switch NAME"));
    }

    #[test]
    fn says_why_this_account_or_why_none() {
        let held = Status { accounts: vec![account("work", true)], ..Status::default() };
        let here = |account: &str, why: &str| {
            Some(Here { account: account.into(), why: why.into(), is_sealed: false })
        };
        let ruled = Status { here: here("work", "the rule for /home/jane/work"), ..held.clone() };
        assert!(plain(Some(&ruled), &[]).contains("  because    the rule for /home/jane/work\n"));
        let denied = Status { here: here("", "account \"work\" may not be used below /x"), ..held };
        assert!(account_here(&denied, "").is_none());
        assert!(plain(Some(&denied), &[]).contains("No session would start here:  account \"work\" may not"));
        let sealed = Here { why: "account \"work\" is sealed".into(), is_sealed: true, ..Here::default() };
        let text = plain(Some(&Status { here: Some(sealed), ..denied }), &[]);
        assert!(text.contains("account \"work\" is sealed: claudectl unseal\n"), "{text}");
    }

    #[test]
    fn names_the_protections_that_could_not_be_had_and_a_bad_configuration() {
        let status = Status {
            protections: vec![
                Protection { name: "secret memory".into(), active: false, detail: "no memfd_secret".into() },
                Protection { name: "no core file".into(), active: true, detail: String::new() },
            ],
            configuration: Some(Configuration {
                path: "c.toml".into(),
                present: true,
                error: "line 3".into(),
            }),
            ..Status::default()
        };
        let text = plain(Some(&status), &[]);
        assert!(text.contains("protection: no secret memory: no memfd_secret\n"), "{text}");
        assert!(text.contains("configuration: the file was not taken: line 3\n"), "{text}");
        assert!(!text.contains("core file"), "{text}");
    }
}
