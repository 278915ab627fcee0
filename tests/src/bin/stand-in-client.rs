//! Stands in for the genuine client's `claude setup-token`: the same behaviour on a terminal (raw mode, cursor
//! movements instead of spaces, a code to paste, a token in rows as wide as the terminal), no network.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test program: its output is its answer, its environment its configuration"
)]

use std::{
    env, fs,
    io::{self, IsTerminal as _, Read as _, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use claudectl_tests::canary;
use rustix::termios::{OptionalActions, tcgetattr, tcgetwinsize, tcsetattr};

fn main() -> ExitCode {
    assert_eq!(env::args().nth(1).as_deref(), Some("setup-token"), "it stands in for nothing else");
    let terminals = io::stdin().is_terminal() && io::stdout().is_terminal() && io::stderr().is_terminal();
    assert!(terminals, "not on a terminal");
    let configuration = PathBuf::from(env::var_os("CLAUDE_CONFIG_DIR").expect("a configuration directory"));
    fs::write(configuration.join(".claude.json"), "{}").expect("it can be written");
    let before = tcgetattr(io::stdin()).unwrap();
    let mut raw = before.clone();
    raw.make_raw();
    // The genuine client leaves line ends to the terminal, too.
    raw.output_modes = before.output_modes;
    tcsetattr(io::stdin(), OptionalActions::Now, &raw).unwrap();
    let code = talk(&configuration);
    show("\x1b[?25h\x1b[?2004l\x1b[<u\x1b7\x1b[r\x1b8");
    tcsetattr(io::stdin(), OptionalActions::Now, &before).unwrap();
    code
}

fn talk(configuration: &std::path::Path) -> ExitCode {
    show("\x1b[?2004h\x1b[?25l\x1b[2G\x1b[1mWelcome\x1b[10Gto\x1b[13Gthe\x1b[17Gstand-in\x1b[22m\r\n\r\n");
    show(&format!("\x1b[2Gconfiguration {}\r\n", configuration.display()));
    let carried: Vec<_> =
        env::vars().map(|(name, _)| name).filter(|name| name.starts_with("ANTHROPIC_")).collect();
    show(&format!("\x1b[2Gcarried {carried:?}\r\n"));
    show(
        "\x1b]8;id=1;https://claude.ai/oauth\x07\x1b[38;5;246mhttps://claude.ai/oauth\x1b[39m\x1b]8;;\x07\r\n\r\n",
    );
    show("\x1b[2GPaste\x1b[8Gcode\x1b[13Ghere\x1b[18Gif\x1b[21Gprompted\r\n\x1b[2G> ");
    let mut code = Vec::new();
    for byte in io::stdin().lock().bytes().map_while(Result::ok) {
        match byte {
            3 => {
                show("\r\n\x1b[2Gcancelled\r\n");
                return ExitCode::from(130);
            }
            b'?' => show(&format!("\r\n\x1b[2Gsize {:?}\r\n", size())),
            b'\r' => break,
            _ => {
                code.push(byte);
                show("*");
            }
        }
    }
    show(
        "\r\x1b[K\x1b[1A\x1b[K\x1b[2G\x1b[38;5;114m✔\x1b[4GLong-lived\x1b[15Gauthentication\x1b[30Gtoken\x1b[36Gcreated\x1b[39m\r\n\r\n",
    );
    show("\x1b[2GYour\x1b[7GOAuth\x1b[13Gtoken\x1b[19G(valid\x1b[26Gfor\x1b[30G1\x1b[32Gyear):\r\n\r\n");
    let token = canary::token_of(str::from_utf8(&code).expect("a code"));
    for row in token.as_bytes().chunks(usize::from(size().1) - 1) {
        // In two writes, as a pipe may cut them anywhere.
        let (one, other) = row.split_at(row.len() / 2);
        show("\x1b[2G\x1b[38;5;220m");
        for half in [one, other] {
            show(str::from_utf8(half).unwrap());
        }
        show("\x1b[39m\r\n");
    }
    show("\r\n\x1b[2G\x1b[38;5;246mStore\x1b[8Gthis\x1b[13Gtoken\x1b[19Gsecurely.\x1b[39m\r\n");
    show(&format!("\r\n\x1b[2GUse this token by setting: export CLAUDE_CODE_OAUTH_TOKEN={token}\r\n\r\n"));
    ExitCode::SUCCESS
}

fn size() -> (u16, u16) {
    let size = tcgetwinsize(io::stdout()).unwrap();
    (size.ws_row, size.ws_col)
}

fn show(text: &str) {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).unwrap();
    stdout.flush().unwrap();
}
