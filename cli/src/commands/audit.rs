//! `claudectl audit`

mod last;
mod sarif;
mod words;

use std::{path::PathBuf, sync::mpsc, thread, time::Duration};

use clap::{Arg, ArgAction, ArgMatches, Command};
use claudectl_footprint::scan::{self, Audit, Meter, Scope};
use claudectl_platform::{clock, hardening};
use indicatif::ProgressBar;

pub use last::{Last, last, remember};

use crate::{
    Context,
    args::working_directory,
    daemon::recognize,
    error::Error,
    exit::Exit,
    output::{Output, can_watch, json},
};

/// How often the progress is shown anew.
const TICK: Duration = Duration::from_millis(120);

/// Its command line.
pub fn build(command: Command) -> Command {
    let flag = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
    };
    command
        .about("Find credentials that other programs left behind; changes nothing, needs no daemon")
        .after_help(
            "Exit codes: 0 nothing found, 1 credentials found, 6 nothing found but not everything could be looked at\n\
             Of what is found nothing is shown but its last four characters.",
        )
        .arg(flag("files-only", "Look at files and this shell only, not at programs that run"))
        .arg(flag("sarif", "Write SARIF 2.1.0, for tools").conflicts_with("json"))
}

/// Looks everywhere, and tells.
///
/// # Errors
/// If the home directory cannot be looked at.
pub async fn run(matches: &ArgMatches, context: &Context) -> Result<Exit, Error> {
    // From here on this process holds credentials: nobody else may look into it.
    hardening::harden_client();
    let home = context.environment.absolute_home()?;
    let directory = working_directory();
    let files_only = matches.get_flag("files-only");
    let processes = PathBuf::from("/proc");
    let scope = Scope {
        home: &home,
        variables: context
            .environment
            .iter()
            .map(|(name, value)| (name.as_os_str(), value.as_os_str()))
            .collect(),
        directories: &[],
        working_directory: Some(&directory),
        processes: Some(processes.as_path()).filter(|path| !files_only && path.join("self/environ").exists()),
        programs: if files_only { Vec::new() } else { context.environment.search_path() },
        system: std::env::consts::OS,
        cheap_only: false,
    };
    let meter = Meter::default();
    let started = clock::since_boot();
    let mut audit = watched(&scope, &meter)
        .map_err(|error| Error::new(format!("could not look at {}", home.display())).because(&error))?;
    let recognition = recognize(&mut audit.findings, &audit.key, &context.environment).await;
    let now = clock::wall();
    last::remember(context, &audit, now);
    let took = clock::since_boot().saturating_sub(started);
    if matches.get_flag("sarif") {
        Output::write(&sarif::document(&audit)?)?;
    } else {
        let body = json::Audit::new(&audit, recognition.as_ref(), &meter, took);
        context.output.show("claudectl.audit/1", &body, || {
            words::told(&audit, recognition.as_ref(), &meter, &home, now)
        })?;
    }
    Ok(exit(&audit))
}

/// Clean means: nothing found, and nothing that was not looked at.
fn exit(audit: &Audit) -> Exit {
    match (audit.findings.is_empty(), audit.gaps.is_empty()) {
        (false, _) => Exit::Failed,
        (true, false) => Exit::Unproven,
        (true, true) => Exit::Ok,
    }
}

/// Looks, and shows on a terminal how far it has got.
fn watched(scope: &Scope<'_>, meter: &Meter) -> std::io::Result<Audit> {
    if !can_watch() {
        return scan::audit(scope, meter);
    }
    thread::scope(|threads| {
        let (tell, told) = mpsc::sync_channel(1);
        threads.spawn(move || {
            // The other end only goes when this one has told.
            drop(tell.send(scan::audit(scope, meter)));
        });
        let spinner = ProgressBar::new_spinner();
        loop {
            match told.recv_timeout(TICK) {
                Ok(audit) => {
                    spinner.finish_and_clear();
                    return audit;
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    spinner.set_message(words::progress(meter));
                    spinner.tick();
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    spinner.finish_and_clear();
                    return Err(std::io::Error::other("the search ended in the middle"));
                }
            }
        }
    })
}
