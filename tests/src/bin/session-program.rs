//! What runs as a session in the tests: reads one JSON command a line, answers with one line each.
//! It speaks to its API socket as any program would that was told only the environment.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::as_conversions,
    clippy::format_push_string,
    reason = "a test program: its output is its answer, its environment its configuration"
)]

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    io::{self, BufRead as _, BufReader, Read, Write},
    net::TcpStream,
    os::unix::net::UnixStream,
    process::{Command, ExitCode, Stdio},
    thread,
};

use claudectl_tests::http::{self, Head};
use serde_json::{Value, json};

type Failure = Box<dyn Error + Send + Sync>;

trait Wire: Read + Write + Send {}
impl<T: Read + Write + Send> Wire for T {}
type Stream = BufReader<Box<dyn Wire>>;

fn main() -> ExitCode {
    let (mut kept, mut opened) = (None, None);
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        let command: Value = serde_json::from_str(&line).unwrap_or_default();
        if command["do"] == "exit" {
            return ExitCode::from(
                command["code"].as_u64().and_then(|code| u8::try_from(code).ok()).unwrap_or(1),
            );
        }
        let answer = obey(&command, &mut kept, &mut opened);
        println!("{}", answer.unwrap_or_else(|error| json!({"error": error.to_string()})));
    }
    ExitCode::SUCCESS
}

fn obey(
    command: &Value,
    kept: &mut Option<Stream>,
    opened: &mut Option<(Stream, Head)>,
) -> Result<Value, Failure> {
    match command["do"].as_str().unwrap_or_default() {
        "environment" => {
            let variables: BTreeMap<_, _> = env::vars().collect();
            Ok(json!({"pid": std::process::id(), "variables": variables}))
        }
        "request" if command["keep"] == true => {
            let mut stream = kept.take().map_or_else(connect, Ok)?;
            let answer = exchange(&mut stream, command)?;
            *kept = Some(stream);
            Ok(answer)
        }
        "request" => exchange(&mut connect()?, command),
        "open" => open(command, opened),
        "drain" => Ok(drain(opened.take().ok_or("nothing was opened")?)),
        "child" => child(command),
        "flood" => Ok(flood(command)),
        other => Err(format!("unknown command {other:?}").into()),
    }
}

/// Connects as the environment says: the session's socket, else the base URL.
fn connect() -> Result<Stream, Failure> {
    let wire: Box<dyn Wire> = match env::var_os("ANTHROPIC_UNIX_SOCKET") {
        Some(path) => Box::new(UnixStream::connect(path)?),
        None => Box::new(TcpStream::connect(authority()?.0)?),
    };
    Ok(BufReader::with_capacity(64 * 1024, wire))
}

/// Host (with port) and path of the base URL.
fn authority() -> Result<(String, String), Failure> {
    let base = env::var("ANTHROPIC_BASE_URL")?;
    let rest = base.strip_prefix("http://").ok_or("a base URL with another scheme")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    Ok((host.to_owned(), format!("/{path}").trim_end_matches('/').to_owned()))
}

/// The credential as the genuine client would send it.
fn credential() -> String {
    let bearer = |name| env::var(name).map(|value| format!("authorization: Bearer {value}\r\n"));
    bearer("ANTHROPIC_AUTH_TOKEN")
        .or_else(|_| bearer("CLAUDE_CODE_OAUTH_TOKEN"))
        .or_else(|_| env::var("ANTHROPIC_API_KEY").map(|value| format!("x-api-key: {value}\r\n")))
        .unwrap_or_default()
}

fn send(stream: &mut Stream, command: &Value) -> Result<(), Failure> {
    let (host, base) = authority()?;
    let text = |name: &str| command[name].as_str().unwrap_or_default();
    let credential = if command["credential"] == false { String::new() } else { credential() };
    let mut head =
        format!("{} {base}{} HTTP/1.1\r\nhost: {host}\r\n{credential}", text("method"), text("path"));
    for field in command["fields"].as_array().into_iter().flatten() {
        head += &format!(
            "{}: {}\r\n",
            field[0].as_str().unwrap_or_default(),
            field[1].as_str().unwrap_or_default()
        );
    }
    let size = command["size"].as_u64();
    let body = text("body").as_bytes();
    if command["chunked"] == true {
        head += "transfer-encoding: chunked\r\n\r\n";
    } else {
        head += &format!(
            "content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            size.unwrap_or(body.len() as u64)
        );
    }
    let wire = stream.get_mut();
    if let Some(raw) = command["raw"].as_str() {
        return Ok(wire.write_all(raw.as_bytes())?);
    }
    wire.write_all(head.as_bytes())?;
    match size {
        None if command["chunked"] == true => {
            http::write_chunk(wire, body)?;
            http::write_chunk(wire, b"")?;
        }
        None => wire.write_all(body)?,
        Some(size) => send_size(wire, size)?,
    }
    Ok(wire.flush()?)
}

/// A body of that many bytes, the same for every run.
fn send_size(wire: &mut dyn Write, size: u64) -> io::Result<()> {
    let block: Vec<u8> = (0..=255_u8).cycle().take(64 * 1024).collect();
    let mut left = size;
    while left > 0 {
        let piece = &block[..block.len().min(usize::try_from(left).unwrap_or(usize::MAX))];
        wire.write_all(piece)?;
        left -= piece.len() as u64;
    }
    Ok(())
}

fn head_json(head: &Head) -> Value {
    let fields: Vec<_> =
        head.fields.iter().map(|(name, value)| json!([name.to_lowercase(), value])).collect();
    json!({"status": head.status(), "fields": fields})
}

fn exchange(stream: &mut Stream, command: &Value) -> Result<Value, Failure> {
    send(stream, command)?;
    let head = http::read_head(stream)?.ok_or("closed without an answer")?;
    let mut body = Vec::new();
    if command["method"] != "HEAD" {
        http::read_response_body(stream, &head, &mut |piece| body.extend_from_slice(piece))?;
    }
    let mut answer = head_json(&head);
    answer["body"] = String::from_utf8_lossy(&body).into();
    Ok(answer)
}

fn open(command: &Value, opened: &mut Option<(Stream, Head)>) -> Result<Value, Failure> {
    let mut stream = connect()?;
    send(&mut stream, command)?;
    let head = http::read_head(&mut stream)?.ok_or("closed without an answer")?;
    let mut answer = head_json(&head);
    // Waits for the first bytes of the body, and leaves them there.
    let first = if command["peek"] == false { 0 } else { stream.fill_buf()?.len() };
    answer["first"] = first.into();
    *opened = Some((stream, head));
    Ok(answer)
}

fn drain((mut stream, head): (Stream, Head)) -> Value {
    let (mut body, mut length) = (Vec::new(), 0_u64);
    let result = http::read_response_body(&mut stream, &head, &mut |piece| {
        length += piece.len() as u64;
        if body.len() < 1 << 16 {
            body.extend_from_slice(piece);
        }
    });
    let end = result.map_or_else(|error| format!("cut: {error}"), |()| "complete".to_owned());
    json!({"end": end, "length": length, "body": String::from_utf8_lossy(&body)})
}

/// The same request, made by a child process.
fn child(command: &Value) -> Result<Value, Failure> {
    let mut request = command.clone();
    request["do"] = "request".into();
    let mut child = Command::new(env::current_exe()?).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    child.stdin.take().ok_or("no input")?.write_all(format!("{request}\n").as_bytes())?;
    let output = child.wait_with_output()?;
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Many requests on many connections; how many were answered with which status.
fn flood(command: &Value) -> Value {
    let number = |name: &str| command[name].as_u64().unwrap_or(1);
    let (connections, requests) = (number("connections"), number("requests"));
    let workers: Vec<_> = (0..connections)
        .map(|worker| {
            let share = requests / connections + u64::from(worker < requests % connections);
            let command = command.clone();
            thread::spawn(move || flood_one(&command, share).map_err(|error| error.to_string()))
        })
        .collect();
    let (mut statuses, mut failures) = (BTreeMap::<String, u64>::new(), Vec::new());
    for worker in workers {
        match worker.join() {
            Ok(Ok(seen)) => {
                for (status, count) in seen {
                    *statuses.entry(status).or_default() += count;
                }
            }
            Ok(Err(error)) => failures.push(error),
            Err(_) => failures.push("a worker failed".to_owned()),
        }
    }
    json!({"statuses": statuses, "failures": failures})
}

fn flood_one(command: &Value, requests: u64) -> Result<BTreeMap<String, u64>, Failure> {
    let mut statuses = BTreeMap::new();
    let mut stream = connect()?;
    for _ in 0..requests {
        let answer = exchange(&mut stream, command)?;
        let complete = command["expect"]
            .as_str()
            .is_none_or(|expected| answer["body"].as_str().is_some_and(|body| body.contains(expected)));
        let status =
            if complete { answer["status"].to_string() } else { format!("{} incomplete", answer["status"]) };
        *statuses.entry(status).or_default() += 1;
    }
    Ok(statuses)
}
