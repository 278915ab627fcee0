//! The person whom the genuine client sends to a browser, and who says yes there.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
};

use crate::{sandbox::Sandbox, wait};

/// A browser that only notes where it was sent to, and whoever sits in front of it.
#[derive(Debug)]
pub struct Consent {
    visited: PathBuf,
}

impl Consent {
    /// Makes it the browser of everything that the sandbox starts from now on.
    pub fn new(sandbox: &mut Sandbox) -> Self {
        let (browser, visited) = (sandbox.path("tmp/browser"), sandbox.path("tmp/visited"));
        let script = format!("#!/bin/sh\necho \"$1\" > '{0}.new' && mv '{0}.new' '{0}'\n", visited.display());
        fs::write(&browser, script).expect("a file");
        fs::set_permissions(&browser, fs::Permissions::from_mode(0o755)).expect("our own file");
        sandbox.set("BROWSER", &browser);
        Self { visited }
    }

    /// Waits for a page to be opened, agrees, and is sent back to the client with this code.
    pub fn given(&self, code: &str) {
        wait::path_presence(&self.visited, true);
        let url = fs::read_to_string(&self.visited).expect("an address");
        fs::remove_file(&self.visited).expect("our own file");
        let (back, state) = (parameter(&url, "redirect_uri"), parameter(&url, "state"));
        let place = back.strip_prefix("http://").expect("an address on loopback");
        let (host, path) = place.split_once('/').expect("a path");
        let mut stream = TcpStream::connect(host).expect("the client listens");
        let request = format!(
            "GET /{path}?code={code}&state={state} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).expect("the client reads");
        // What it answers is the page at the end; that it took the code is seen at the server.
        let _ = stream.read_to_end(&mut Vec::new());
    }
}

/// A parameter of an address, decoded as far as addresses need it.
fn parameter(url: &str, name: &str) -> String {
    let query = url.trim().split_once('?').expect("parameters").1;
    let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    let value = value.unwrap_or_else(|| panic!("no {name} in {url}"));
    value.replace("%3A", ":").replace("%2F", "/")
}
