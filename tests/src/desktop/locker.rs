//! Somebody on a session bus who can lock the screen, under the name of any desktop.

use std::sync::Arc;

use futures_util::StreamExt as _;
use tokio::{runtime::Runtime, sync::Mutex};
use zbus::{Connection, Message, MessageStream, message};

use super::Bus;

/// What a desktop calls its screen saver: the name on the bus, the object, the interface.
#[derive(Debug, Clone, Copy)]
pub struct Vendor {
    /// The name on the bus.
    pub name: &'static str,
    /// Path of the object.
    pub path: &'static str,
    /// The interface that has `ActiveChanged` and `GetActive`.
    pub interface: &'static str,
}

/// What the desktops call theirs.
pub const VENDORS: [Vendor; 8] = [
    Vendor::of("org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver"),
    Vendor::of("org.freedesktop.ScreenSaver", "/ScreenSaver"),
    Vendor::of("org.gnome.ScreenSaver", "/org/gnome/ScreenSaver"),
    Vendor { name: "org.kde.screensaver", path: "/ScreenSaver", interface: "org.freedesktop.ScreenSaver" },
    Vendor::of("org.mate.ScreenSaver", "/org/mate/ScreenSaver"),
    Vendor::of("org.cinnamon.ScreenSaver", "/org/cinnamon/ScreenSaver"),
    Vendor::of("org.xfce.ScreenSaver", "/org/xfce/ScreenSaver"),
    // Nobody's: what is called like one is heard.
    Vendor { name: "org.example.Desktop", path: "/lock", interface: "org.example.Screensaver" },
];

impl Vendor {
    const fn of(name: &'static str, path: &'static str) -> Self {
        Self { name, path, interface: name }
    }
}

/// Somebody on a session bus who can lock the screen.
#[derive(Debug)]
pub struct Locker {
    connection: Connection,
    vendor: Vendor,
    runtime: Arc<Runtime>,
    /// What it answers. Whoever tells of it holds it: an answer is never older than what was told before.
    active: Arc<Mutex<bool>>,
}

impl Locker {
    /// Takes the name of a vendor's screen saver, which is not active.
    pub fn start(bus: &Bus, vendor: Vendor) -> Self {
        Self::found(bus, vendor, false)
    }

    /// Takes the name; whoever asks is told whether it is active from the first.
    pub fn found(bus: &Bus, vendor: Vendor, active: bool) -> Self {
        let (connection, runtime) = (bus.connect(), Arc::clone(&bus.runtime));
        let active = Arc::new(Mutex::new(active));
        runtime.spawn(answer(connection.clone(), vendor, Arc::clone(&active)));
        runtime.block_on(connection.request_name(vendor.name)).expect("the name is free");
        Self { connection, vendor, runtime, active }
    }

    /// Gives the name back.
    pub fn withdraw(&self) {
        self.runtime.block_on(self.connection.release_name(self.vendor.name)).expect("the name was ours");
    }

    /// Says nothing, but answers like that from now on.
    pub fn become_active(&self, active: bool) {
        *self.active.blocking_lock() = active;
    }

    /// Locks the screen, or unlocks it.
    pub fn lock(&self, active: bool) {
        let mut answered = self.active.blocking_lock();
        *answered = active;
        self.tell(self.vendor.interface, active);
    }

    /// Says so under any interface. What it answers under its own is another thing.
    pub fn tell(&self, interface: &str, active: bool) {
        let path = self.vendor.path;
        let signal = self.connection.emit_signal(None::<&str>, path, interface, "ActiveChanged", &active);
        self.runtime.block_on(signal).expect("the bus listens");
    }
}

/// Says whether it is active to whoever asks as the vendor has it, until the bus is gone.
async fn answer(connection: Connection, vendor: Vendor, active: Arc<Mutex<bool>>) {
    let mut messages = MessageStream::from(&connection);
    while let Some(Ok(message)) = messages.next().await {
        if message.message_type() != message::Type::MethodCall {
            continue;
        }
        let header = message.header();
        // Who asks and is gone by now needs no answer.
        let _ = if asks_whether_active(&message, vendor) {
            connection.reply(&header, &*active.lock().await).await
        } else {
            connection.reply_error(&header, "org.freedesktop.DBus.Error.UnknownMethod", &"not here").await
        };
    }
}

fn asks_whether_active(message: &Message, vendor: Vendor) -> bool {
    let header = message.header();
    header.path().is_some_and(|path| path.as_str() == vendor.path)
        && header.interface().is_some_and(|interface| interface.as_str() == vendor.interface)
        && header.member().is_some_and(|member| member.as_str() == "GetActive")
}
