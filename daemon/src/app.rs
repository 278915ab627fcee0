//! Puts the daemon together.

use std::{io, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use clap::Parser as _;
use claudectl_platform::{
    activation, clock, directories,
    hardening::{self, Protection},
    memory,
    process::ExitWatch,
    signal::Orders,
    stdio,
};
use claudectl_proto::{endpoint::Endpoints, kept::File, record::Files};
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};

use crate::{
    args::{Args, Surroundings},
    config::{ConfigError, Configuration},
    effects::{Effects, Keeper, Sessions},
    engine::{Engine, Mailbox, Onlookers, mailbox},
    footprints::{Places, Remover},
    guard::Guard,
    keyring::Keyring,
    logging,
    notify::Notifier,
    record::{Record, Witness},
    service::{self, Context, Facts},
    transport::{self, ListenError},
    watchers,
};

/// Nothing happens for so long: the daemon is idle.
const QUIET: Duration = Duration::from_secs(3);

/// Why the daemon did not start, or did not go on.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Directory(#[from] directories::DirectoryError),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error(transparent)]
    Schema(#[from] tonic_reflection::server::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Runs the daemon until it is told to stop.
pub fn run() -> ExitCode {
    // Before anything else: from here on no other process of this user can look in.
    let protections = hardening::harden_daemon();
    claudectl_platform::keyring::prepare();
    let args = Args::parse();
    match start(&args, protections) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tracing::error!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn start(args: &Args, protections: Vec<Protection>) -> Result<(), Failure> {
    let surroundings = Surroundings::read();
    let configuration =
        Configuration::load(config_path(args, &surroundings)?, surroundings.home.clone().map(PathBuf::from));
    let level = configuration.as_ref().ok().and_then(|loaded| loaded.config.log);
    logging::start(args.log.or(level).unwrap_or(tracing::Level::INFO));
    let configuration = configuration?;
    let endpoints = Endpoints::within(directories::runtime(surroundings.runtime.as_deref())?);
    for weak in protections.iter().filter(|protection| !protection.active) {
        tracing::warn!("{}: {}", weak.name, weak.detail);
    }
    // One thread: nothing races with a wipe, and an idle daemon stays small.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve(args, configuration, &endpoints, protections, surroundings))
}

fn config_path(args: &Args, surroundings: &Surroundings) -> Result<PathBuf, Failure> {
    if let Some(path) = &args.config {
        return Ok(path.clone());
    }
    let directory = directories::config(surroundings.config.as_deref(), surroundings.home.as_deref())?;
    Ok(directory.join("config.toml"))
}

async fn serve(
    args: &Args,
    configuration: Configuration,
    endpoints: &Endpoints,
    protections: Vec<Protection>,
    surroundings: Surroundings,
) -> Result<(), Failure> {
    let listening = transport::listen(endpoints)?;
    remove_leftovers(endpoints);
    let limit = configuration.config.limits.control_connections.get().into();
    let exits = Arc::new(ExitWatch::new()?);
    let (changes, ticks) = watch::channel(0);
    let (mailbox, receivers, events, arrivals) = mailbox(ticks);
    let sessions = Sessions::new(endpoints.clone(), events.clone(), Arc::clone(&exits))?;
    let keyring = Keyring::new(surroundings.buses.session.as_deref());
    let state = directories::state(surroundings.state.as_deref(), surroundings.home.as_deref()).ok();
    let place = |name: &str| state.as_ref().map(|directory| directory.join(name));
    let (keeper, kept) = Keeper::start(keyring, state.clone().map(File::within), arrivals.clone());
    let remover = remover(&configuration, &surroundings, endpoints, state.clone(), mailbox.clone());
    let known_gateways = place("known_gateways");
    let effects =
        Effects::new(endpoints.clone(), events, arrivals, sessions, keeper, remover, known_gateways);
    let may_retire = args.on_demand || listening.activated;
    let (record, directory) = record(&configuration, &surroundings);
    let notifier = Notifier::start(surroundings.buses.clone());
    let onlookers = Onlookers { witness: Witness::new(record), notifier };
    let mut engine = Engine::new(configuration, effects, may_retire, receivers, changes, onlookers)?;
    engine.found(kept);
    let facts = Arc::new(Facts { started_at: clock::wall(), protections, record: directory });
    let (guard_sessions, told) = mpsc::channel(16);
    let context = Context { mailbox: mailbox.clone(), facts, guard: guard_sessions };
    let routes = service::routes(context).await?;
    // Listened to from now on: who hears that we are ready may send one at once.
    let orders = Orders::new()?;
    let home = surroundings.home.map(PathBuf::from);
    let guard = Guard::new(home, surroundings.config.clone(), state, told);
    let guard = Guard::run(guard, surroundings.buses.clone(), mailbox.clone());
    let desktop = watchers::desktop::watch(surroundings.buses, mailbox.clone());
    ready(args, endpoints)?;
    tokio::spawn(rest(mailbox.clone()));
    // A task of its own: what is asked of it wakes it alone, not everything that is waited for here.
    let engine = tokio::spawn(engine.run());
    tokio::select! {
        // Returns when the core says stop; everything is wiped then.
        stopped = engine => Ok(stopped.map_err(io::Error::other)?),
        ended = transport::serve(&listening, routes, limit) => Ok(ended?),
        ended = watchers::processes::watch(exits, mailbox.clone()) => Ok(ended?),
        () = watchers::signals::watch(orders, mailbox.clone()) => Ok(()),
        () = desktop => Ok(()),
        () = guard => Ok(()),
    }
}

/// The local record, and the directory that it is in. Without one the daemon runs all the same, and
/// says so in its status.
fn record(configuration: &Configuration, surroundings: &Surroundings) -> (Record, String) {
    if !configuration.config.record.enabled {
        return (Record::none("the configuration switches it off".to_owned()), String::new());
    }
    match directories::state(surroundings.state.as_deref(), surroundings.home.as_deref()) {
        Ok(directory) => {
            let shown = directory.display().to_string();
            (Record::start(Files::within(directory)), shown)
        }
        Err(error) => (Record::none(error.to_string()), String::new()),
    }
}

/// What removes footprints when the core says so.
fn remover(
    configuration: &Configuration,
    surroundings: &Surroundings,
    endpoints: &Endpoints,
    state: Option<PathBuf>,
    mailbox: Mailbox,
) -> Remover {
    let home = surroundings.home.clone().map(PathBuf::from).filter(|home| home.is_absolute());
    let runtime = endpoints.runtime().to_owned();
    let environment = surroundings.passed_on.clone();
    let places = home.map(|home| Places { home, runtime, state, environment });
    Remover::start(places, configuration.config.policy.footprints, mailbox)
}

/// Whenever nothing has happened for a while, the memory that only happened to be needed goes back.
async fn rest(mailbox: Mailbox) {
    let mut changes = mailbox.changes();
    loop {
        match timeout(QUIET, changes.changed()).await {
            Ok(Ok(())) => continue,
            Ok(Err(_)) => return,
            Err(_) => memory::give_back(),
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// Says that clients can connect: to the supervisor, and to the client that started us.
fn ready(args: &Args, endpoints: &Endpoints) -> io::Result<()> {
    activation::notify_ready()?;
    if args.on_demand {
        stdio::announce("ready\n")?;
        // The client that started us goes away, and its pipes with it.
        stdio::redirect(&endpoints.log())?;
    }
    tracing::info!("listening (pid {})", std::process::id());
    Ok(())
}

/// A daemon that was killed could not take its sockets away. We hold the lock, so they are nobody's.
fn remove_leftovers(endpoints: &Endpoints) {
    for directory in [endpoints.sessions(), endpoints.intakes()] {
        let Ok(entries) = std::fs::read_dir(&directory) else { continue };
        for entry in entries.flatten() {
            if let Err(error) = std::fs::remove_file(entry.path()) {
                tracing::warn!("{}: {error}", entry.path().display());
            }
        }
    }
}
