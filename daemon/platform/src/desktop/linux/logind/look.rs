//! Asking logind what is true now.

use std::{collections::BTreeMap, os::fd::OwnedFd};

use zbus::{
    Connection,
    zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value},
};

use super::{super::Delay, MANAGER, NAME, PATH, PROPERTIES, SESSION, Silence, USER, name_of, own_user};

/// logind's description of a login session: id, uid, user name, seat, path.
type Listed = (String, u32, String, String, OwnedObjectPath);

/// What is true of a login session of this user.
#[allow(clippy::struct_excessive_bools, reason = "facts that do not depend on each other")]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Session {
    /// Whether somebody is logged in with it: not one that a service has, not one that has ended and
    /// only waits for its processes.
    pub(super) attended: bool,
    /// The process that leads it, if somebody is logged in with it.
    pub(super) leader: Option<u32>,
    /// Whether it has a screen that can be locked.
    pub(super) graphical: bool,
    /// Whether it is at a seat: somebody sits in front of it, or another session was switched to.
    pub(super) seated: bool,
    /// Whether it is the one that its seat shows.
    pub(super) active: bool,
    /// Whether its screen is locked, as far as its desktop says.
    pub(super) locked: bool,
    /// Whether its desktop is one that says so.
    pub(super) tells: bool,
}

/// What is true now.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The sessions of this user, by the last part of their path.
    pub(super) sessions: BTreeMap<String, Session>,
    /// Whether nobody touches anything; `None` if nobody knows.
    pub(super) idle: Option<bool>,
    /// Whether the machine is about to sleep.
    pub(super) sleeping: bool,
}

/// Looks at everything.
pub(super) async fn look(connection: &Connection) -> Result<Seen, Silence> {
    let listed = connection.call_method(Some(NAME), PATH, Some(MANAGER), "ListSessions", &()).await?;
    let listed: Vec<Listed> = listed.body().deserialize()?;
    let mut seen = Seen::default();
    for (_, uid, _, _, path) in listed {
        if uid != own_user() {
            continue;
        }
        // One that cannot be asked has ended since.
        let Ok(about) = properties(connection, &path, SESSION).await else { continue };
        seen.sessions.insert(name_of(&path).to_owned(), session(&about));
    }
    let manager = properties(connection, &ObjectPath::try_from(PATH)?, MANAGER).await?;
    seen.sleeping = flag(&manager, "PreparingForSleep").unwrap_or(false);
    seen.idle = idle(connection).await.ok().flatten();
    Ok(seen)
}

/// Keeps the machine from sleeping and from stopping until we are done; `None` if neither is allowed.
pub(super) async fn inhibit(connection: &Connection) -> Option<Delay> {
    let mut inhibitors = Vec::new();
    // Each has a permission of its own: asked for together, they are refused where one is.
    for what in ["sleep", "shutdown"] {
        inhibitors.extend(inhibit_for(connection, what).await.ok());
    }
    (!inhibitors.is_empty()).then_some(Delay { inhibitors })
}

async fn inhibit_for(connection: &Connection, what: &str) -> Result<OwnedFd, Silence> {
    let how = (what, "claudectl", "Credentials are wiped before the machine sleeps", "delay");
    let answer = connection.call_method(Some(NAME), PATH, Some(MANAGER), "Inhibit", &how).await?;
    let inhibitor: zbus::zvariant::OwnedFd = answer.body().deserialize()?;
    Ok(OwnedFd::from(inhibitor))
}

/// logind tells of all sessions of a user at once.
async fn idle(connection: &Connection) -> Result<Option<bool>, Silence> {
    let answer = connection.call_method(Some(NAME), PATH, Some(MANAGER), "GetUser", &(own_user(),)).await?;
    let user: OwnedObjectPath = answer.body().deserialize()?;
    Ok(flag(&properties(connection, &user, USER).await?, "IdleHint"))
}

type Properties = BTreeMap<String, OwnedValue>;

async fn properties(
    connection: &Connection,
    object: &ObjectPath<'_>,
    interface: &str,
) -> Result<Properties, Silence> {
    let answer =
        connection.call_method(Some(NAME), object, Some(PROPERTIES), "GetAll", &(interface,)).await?;
    Ok(answer.body().deserialize()?)
}

fn session(about: &Properties) -> Session {
    let seated = about.get("Seat").and_then(|seat| match &**seat {
        Value::Structure(seat) => seat.fields().first().map(|name| *name != Value::from("")),
        _ => None,
    });
    let class = text(about, "Class");
    let attended = text(about, "State") != "closing" && (class.is_empty() || class.starts_with("user"));
    Session {
        attended,
        leader: number(about, "Leader").filter(|leader| attended && *leader > 1),
        graphical: matches!(text(about, "Type"), "x11" | "wayland" | "mir"),
        seated: seated.unwrap_or(false),
        active: flag(about, "Active").unwrap_or(true),
        locked: flag(about, "LockedHint").unwrap_or(false),
        tells: tells_of_locks(text(about, "Desktop")),
    }
}

/// Whether a desktop sets `LockedHint` when it locks its screen. Window managers whose locker is a program of its own
/// (i3lock, swaylock, slock) do not, and of one that nobody knows here it is not known.
fn tells_of_locks(desktop: &str) -> bool {
    const TELL: [&str; 12] = [
        "gnome", "ubuntu", "pop", "kde", "plasma", "cinnamon", "unity", "budgie", "pantheon", "cosmic",
        "deepin", "mate",
    ];
    let desktop = desktop.to_ascii_lowercase();
    desktop.split([':', '-', ' ', '_']).any(|word| TELL.contains(&word))
}

fn text<'a>(about: &'a Properties, name: &str) -> &'a str {
    match about.get(name).map(|value| &**value) {
        Some(Value::Str(text)) => text.as_str(),
        _ => "",
    }
}

fn number(about: &Properties, name: &str) -> Option<u32> {
    match about.get(name).map(|value| &**value) {
        Some(Value::U32(number)) => Some(*number),
        _ => None,
    }
}

fn flag(about: &Properties, name: &str) -> Option<bool> {
    match about.get(name).map(|value| &**value) {
        Some(Value::Bool(flag)) => Some(*flag),
        _ => None,
    }
}
