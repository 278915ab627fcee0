//! The systemd of a user, as far as it holds variables.
#![allow(
    clippy::disallowed_types,
    clippy::needless_pass_by_value,
    clippy::unused_self,
    clippy::used_underscore_binding,
    reason = "what zbus's macro writes, and what it wants"
)]

use std::sync::{Arc, Mutex, PoisonError};

use zbus::{Connection, interface};

use super::Bus;

type Variables = Arc<Mutex<Vec<String>>>;

/// One on a session bus, which holds what the test says.
#[derive(Debug)]
pub struct UserSystemd {
    variables: Variables,
    _connection: Connection,
}

struct Held(Variables);

#[interface(name = "org.freedesktop.systemd1.Manager")]
impl Held {
    #[zbus(property)]
    fn environment(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn unset_environment(&self, names: Vec<String>) {
        let is_meant =
            |variable: &String| names.iter().any(|name| variable.split('=').next() == Some(name.as_str()));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|variable| !is_meant(variable));
    }
}

impl UserSystemd {
    /// Takes the name on a session bus; holds these, `NAME=value` each.
    pub fn start(bus: &Bus, variables: &[String]) -> Self {
        let (connection, variables) = (bus.connect(), Arc::new(Mutex::new(variables.to_vec())));
        bus.block_on(async {
            let held = Held(Arc::clone(&variables));
            let server = connection.object_server();
            let _ = server.at("/org/freedesktop/systemd1", held).await.expect("a place");
            connection.request_name("org.freedesktop.systemd1").await.expect("a free name");
        });
        Self { variables, _connection: connection }
    }

    /// Adds one.
    pub fn set(&self, variable: String) {
        self.variables.lock().unwrap_or_else(PoisonError::into_inner).push(variable);
    }

    /// What it holds now.
    pub fn variables(&self) -> Vec<String> {
        self.variables.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
