//! A client of the API that knows nothing but its environment, as every session does.

use std::io::{Read as _, Write as _};

use claudectl_footprint::catalog::environment::{Role, lookup};
use interprocess::local_socket::{GenericFilePath, Stream, ToFsName as _, traits::Stream as _};
use serde_json::{Value, json};

use crate::{args::Environment, error::Error};

/// Sends a prompt through the API socket; returns the answer, or the sentence of the refusal.
///
/// # Errors
/// If there is no API socket, or it does not answer.
pub fn prompt(environment: &Environment, text: &str) -> Result<Result<String, String>, Error> {
    let answer = exchange(environment, text)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let body: Value = serde_json::from_str(body)
        .map_err(|error| Error::new("the answer is not understood").because(&error))?;
    let found = |path: &str| body.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_success = head.split(' ').nth(1) == Some("200");
    Ok(if is_success { Ok(found("/content/0/text")) } else { Err(found("/error/message")) })
}

fn exchange(environment: &Environment, text: &str) -> Result<String, Error> {
    let variable = |name: &str| {
        environment.get(name).ok_or_else(|| Error::new(format!("{name} is not set: this is not a session")))
    };
    let failed = |error: std::io::Error| Error::new("the API socket does not answer").because(&error);
    let socket = variable("ANTHROPIC_UNIX_SOCKET")?;
    let placeholder = variable("ANTHROPIC_AUTH_TOKEN")?.to_string_lossy();
    let body = json!({
        "model": "demo", "max_tokens": 64, "messages": [{"role": "user", "content": text}],
    })
    .to_string();
    let request = format!(
        "POST /v1/messages HTTP/1.1\r\nHost: claudectl.invalid\r\nAuthorization: Bearer {placeholder}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream =
        Stream::connect(socket.to_fs_name::<GenericFilePath>().map_err(failed)?).map_err(failed)?;
    stream.write_all(request.as_bytes()).map_err(failed)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(failed)?;
    Ok(answer)
}

/// The credentials and addresses in this environment: in a session, only placeholders.
pub fn credentials(environment: &Environment) -> Vec<String> {
    let shown = environment.iter().filter_map(|(name, value)| {
        let variable = lookup(name.to_str()?)?;
        (variable.role != Role::Login).then(|| format!("{}={}", variable.name, value.to_string_lossy()))
    });
    shown.collect()
}
