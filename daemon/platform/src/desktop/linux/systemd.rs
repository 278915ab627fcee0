//! The systemd of this user on the session bus (`org.freedesktop.systemd1(5)`): the variables that it gives to
//! all that it starts. It does not tell when they change, so it has to be asked.

use std::io;

use zbus::{Connection, connection, zvariant::Value};
use zeroize::Zeroizing;

use super::{super::Buses, ANSWER, Silence};

const NAME: &str = "org.freedesktop.systemd1";
const PATH: &str = "/org/freedesktop/systemd1";
const INTERFACE: &str = "org.freedesktop.systemd1.Manager";
const BUS: &str = "org.freedesktop.DBus";
const BUS_PATH: &str = "/org/freedesktop/DBus";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

pub(in super::super) async fn user_variables(buses: &Buses) -> io::Result<Vec<Zeroizing<String>>> {
    in_time(async { variables(&connect(buses).await?).await }).await
}

pub(in super::super) async fn unset_user_variable(buses: &Buses, name: &str) -> io::Result<()> {
    in_time(async {
        let connection = connect(buses).await?;
        let names = vec![name];
        connection.call_method(Some(NAME), PATH, Some(INTERFACE), "UnsetEnvironment", &(names,)).await?;
        let start = format!("{name}=");
        if variables(&connection).await?.iter().any(|variable| variable.starts_with(&start)) {
            return Err("it is set again".into());
        }
        Ok(())
    })
    .await
}

async fn in_time<T>(work: impl Future<Output = Result<T, Silence>>) -> io::Result<T> {
    tokio::time::timeout(ANSWER, work).await.map_err(io::Error::other)?.map_err(io::Error::other)
}

async fn connect(buses: &Buses) -> Result<Connection, Silence> {
    let bus = buses.session.as_deref().ok_or("there is no session bus")?;
    let connection = connection::Builder::address(bus)?.build().await?;
    // Where there is none, asking it would have the bus try to start one.
    let answer = connection.call_method(Some(BUS), BUS_PATH, Some(BUS), "NameHasOwner", &(NAME,)).await?;
    if answer.body().deserialize::<bool>()? {
        Ok(connection)
    } else {
        Err("there is none on the session bus".into())
    }
}

async fn variables(connection: &Connection) -> Result<Vec<Zeroizing<String>>, Silence> {
    let what = (INTERFACE, "Environment");
    let answer = connection.call_method(Some(NAME), PATH, Some(PROPERTIES), "Get", &what).await?;
    let body = answer.body();
    let value: Value<'_> = body.deserialize()?;
    let variables: Vec<String> = value.try_into()?;
    Ok(variables.into_iter().map(Zeroizing::new).collect())
}
