//! Desktop notifications (Desktop Notifications Specification 1.2, `org.freedesktop.Notifications`).

use std::{collections::BTreeMap, io};

use zbus::{connection, zvariant::Value};

use super::{super::Buses, ANSWER, Silence};

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";

pub(in super::super) async fn notify(buses: &Buses, summary: &str, body: &str) -> io::Result<()> {
    let Some(bus) = buses.session.as_deref() else {
        return Err(io::Error::new(io::ErrorKind::NotConnected, "there is no session bus"));
    };
    let shown = tokio::time::timeout(ANSWER * 3, show(bus, summary, body)).await;
    shown.map_err(io::Error::other)?.map_err(io::Error::other)
}

async fn show(bus: &str, summary: &str, body: &str) -> Result<(), Silence> {
    let connection = connection::Builder::address(bus)?.build().await?;
    let hints = BTreeMap::from([("desktop-entry", Value::from("claudectl"))]);
    // Name, the notification that it replaces, icon, texts, actions, hints, time on screen (the desktop's own).
    let notification = ("claudectl", 0_u32, "", summary, escaped(body), Vec::<&str>::new(), hints, -1_i32);
    connection.call_method(Some(NAME), PATH, Some(NAME), "Notify", &notification).await?;
    Ok(())
}

/// A body may be read as markup.
fn escaped(body: &str) -> String {
    body.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_body_is_text_and_no_markup() {
        assert_eq!(super::escaped("<b>a</b> & b"), "&lt;b&gt;a&lt;/b&gt; &amp; b");
    }
}
