//! `claudectl adopt`

mod journal;
mod key;
mod words;

use clap::{Arg, ArgAction, ArgMatches, Command};
use claudectl_footprint::{
    Finding, Kind, Location,
    catalog::Group,
    plan::{Choice, FileStep, Plan},
    purge,
};
use claudectl_platform::hardening;

use crate::{
    Context,
    commands::{purge::look::Looker, text},
    daemon::recognize,
    error::Error,
    exit::Exit,
    output::{can_ask, complain},
};
use journal::Taken;

/// Its command line.
pub fn build(command: Command) -> Command {
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    command
        .about("Move an API key that was found in a file into the daemon, and out of the file")
        .after_help(
            "The key is taken from where `claudectl audit` finds it: a profile, settings, ~/.claude.json. It goes to the \
             daemon\nas if you had typed it, and its copies and backups are taken out once the daemon has it.\n--undo \
             puts the lines back with a placeholder: the key itself is stored nowhere.",
        )
        .arg(Arg::new("name").value_name("NAME").help("Name of the account [default: default]"))
        // They may begin with a hyphen.
        .arg(option("key", "TAIL", "Which key, by its last four characters").allow_hyphen_values(true))
        .arg(option("upstream", "URL", "As of `claudectl login`"))
        .arg(option("proxy", "URL", "As of `claudectl login`"))
        .arg(option("ca-file", "PATH", "As of `claudectl login`"))
        .arg(flag("no-proxy", "As of `claudectl login`").conflicts_with("proxy"))
        .arg(flag("offline", "As of `claudectl login`"))
        .arg(flag("yes", "Do not ask").short('y'))
        .arg(flag("undo", "Put the lines of the last time back, with a placeholder").conflicts_with_all(["name", "key"]))
}

/// Adopts a key.
///
/// # Errors
/// If there is none, or more than one, or the daemon does not take it; then nothing is changed.
pub async fn run(matches: &ArgMatches, context: &Context) -> Result<Exit, Error> {
    // It reads a key: nobody watches this process from here on.
    hardening::harden_client();
    let looker = Looker::new(context)?;
    let _lock = looker.lock()?;
    if matches.get_flag("undo") {
        return journal::undo(&looker, context);
    }
    looker.finish_interrupted()?;
    let mut found = looker.look(context)?.findings;
    recognize(&mut found, looker.key(), &context.environment).await;
    let chosen = choose(&found, matches)?;
    let account = account(&chosen, matches)?;
    let copies: Vec<Finding> =
        found.iter().filter(|other| other.fingerprint == chosen.fingerprint).cloned().collect();
    let (taken, left): (Vec<_>, Vec<_>) = copies.into_iter().partition(goes);
    let plan = Plan::new(taken, &Choice::default(), looker.home());
    let change = words::change(&plan.files, &found)?;
    confirm(matches, context, &words::question(&account, &change))?;
    if !account.is_held {
        key::hand_over(&chosen, &looker, matches).await?;
    }
    let done = take_out(&plan.files, &found, &looker)?;
    words::show(context, &account, &done, &left)
}

/// The account that the key is going to be.
struct Account {
    name: String,
    /// Whether the daemon holds it already: then only its copies are taken out.
    is_held: bool,
}

/// Which account that is. A key is never held twice.
fn account(chosen: &Finding, matches: &ArgMatches) -> Result<Account, Error> {
    match (&chosen.account, matches.get_one::<String>("name")) {
        (Some(held), Some(wanted)) if held != wanted => {
            Err(Error::usage(format!("claudectld holds this key already, as account {held}"))
                .hint(format!("claudectl adopt {held} takes its copies out of the files")))
        }
        (Some(held), _) => Ok(Account { name: held.clone(), is_held: true }),
        (None, _) => Ok(Account { name: name(matches), is_held: false }),
    }
}

fn name(matches: &ArgMatches) -> String {
    Some(text(matches, "name")).filter(|name| !name.is_empty()).unwrap_or_else(|| "default".to_owned())
}

/// The one key that is meant, at a place from which it can be taken.
fn choose(found: &[Finding], matches: &ArgMatches) -> Result<Finding, Error> {
    let tail = matches.get_one::<String>("key");
    let is_meant = |finding: &&Finding| {
        let is_key = finding.kind == Kind::ApiKey && goes(finding);
        is_key && tail.is_none_or(|tail| finding.tail.as_str() == tail)
    };
    let candidates: Vec<&Finding> = found.iter().filter(is_meant).collect();
    let Some(first) = candidates.first() else {
        return Err(Error::new("there is no API key in a profile, in settings or in Claude Code's files")
            .hint(if found.iter().any(|finding| finding.kind == Kind::Command) {
                "the apiKeyHelper of the settings prints one: claudectl login takes what it prints, then claudectl purge"
            } else {
                "claudectl audit shows what there is; claudectl login takes a key that you type"
            }));
    };
    if candidates.iter().any(|other| other.fingerprint != first.fingerprint) {
        let mut tails: Vec<_> = candidates.iter().map(|finding| finding.tail.as_str()).collect();
        tails.sort_unstable();
        tails.dedup();
        return Err(Error::usage(format!("there are several keys: …{}", tails.join(", …")))
            .hint("name one by its last characters: claudectl adopt --key TAIL"));
    }
    Ok((*first).clone())
}

/// Whether a copy there is taken out: files that Claude Code and shells read, and their backups; not what
/// was said or typed once.
fn goes(finding: &Finding) -> bool {
    let reads = matches!(finding.place.group, Group::ClaudeCode | Group::Profiles | Group::Project);
    let is_record = finding.place.remedy == claudectl_footprint::Remedy::Overwrite;
    reads && !is_record && matches!(finding.location, Location::Stored(_))
}

fn confirm(matches: &ArgMatches, context: &Context, change: &str) -> Result<(), Error> {
    if matches.get_flag("yes") {
        return Ok(());
    }
    let refused = |what: &str| Error::usage(what).hint("--yes does it without asking");
    if context.output.json || !can_ask() {
        return Err(refused("nothing was changed, because nobody was asked"));
    }
    complain(change);
    complain("Type yes:");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    if answer.trim().eq_ignore_ascii_case("yes") { Ok(()) } else { Err(refused("nothing was changed")) }
}

/// Takes the key out of the files; what was there is noted before, without it.
fn take_out(files: &[FileStep], found: &[Finding], looker: &Looker) -> Result<Vec<Taken>, Error> {
    journal::note(files, found, looker)?;
    looker.begin(files)?;
    let run = |file: &FileStep| Taken {
        path: file.path.clone(),
        items: purge::run_file(file, looker.key(), &mut |_| {}).items,
    };
    let done = files.iter().map(run).collect();
    looker.end()?;
    Ok(done)
}
