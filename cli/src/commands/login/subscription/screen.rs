//! The genuine client on a private terminal, between it and the person's.

use std::{
    cell::RefCell,
    io,
    process::{Command, ExitStatus},
    time::Duration,
};

use claudectl_platform::{
    pty::{Pty, RawTerminal, Resizes},
    signal::{Order, Orders},
};
use tokio::time::timeout;
use zeroize::{Zeroize as _, Zeroizing};

use super::{
    REVOKE_AT,
    intercept::{Interceptor, Missed},
};
use crate::error::Error;

/// How much is read at once, in bytes.
const CHUNK: usize = 4096;
/// What Control-C types.
const INTERRUPT: u8 = 0x03;
/// So often in a row it ends a client that does not listen to it.
const IMPATIENT: usize = 3;
/// How long the last words of a client that has ended may take: another program may keep its terminal open.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Puts a terminal back that the client was not allowed to: cursor, wrapping, colours, pasting, mouse, keys.
const RESET: &[u8] = b"\x1b[?25h\x1b[?7h\x1b[0m\x1b[?2004l\x1b[?1004l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2031l\x1b[>4m\x1b[<u\r\n";

/// How it ended.
enum Ended {
    /// By itself; with the token that it was about to show.
    Itself(Result<Option<Zeroizing<Vec<u8>>>, Missed>),
    /// The person or the system had enough of it.
    Cancelled,
}

/// Runs the client until it ends; the token that it was about to show.
pub(super) async fn run(command: Command) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    let terminal = RawTerminal::take().map_err(|error| {
        Error::new("signing in needs a terminal").because(&error).hint("run it where you can see and type")
    })?;
    let ended = on(&terminal, command).await;
    if !matches!(ended, Ok(Ended::Itself(_))) {
        // The terminal may be gone, and then needs nothing.
        drop(terminal.write_all(RESET).await);
    }
    drop(terminal);
    match ended {
        Ok(Ended::Itself(Ok(token))) => Ok(token),
        Ok(Ended::Itself(Err(Missed))) => Err(Error::new("the token could not be read in one piece")
            .because(&"Claude Code drew it in a way that claudectl does not know")
            .hint(format!("nothing was logged in; revoke it at {REVOKE_AT}, and try a wider terminal"))),
        Ok(Ended::Cancelled) => Err(Error::new("signing in was cancelled").hint("nothing was logged in")),
        Err(error) => {
            Err(Error::new("Claude Code could not be run on a terminal of its own").because(&error))
        }
    }
}

async fn on(terminal: &RawTerminal, mut command: Command) -> io::Result<Ended> {
    let size = terminal.size()?;
    let pty = Pty::lend(&mut command, size)?;
    let (mut orders, mut resizes) = (Orders::new()?, Resizes::new()?);
    // The command holds the other side of the terminal open: it must not outlive the start.
    let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn()?;
    let interceptor = RefCell::new(Interceptor::new(size.columns));
    let cancelled = {
        let mut showing = std::pin::pin!(show(&pty, terminal, &interceptor));
        tokio::select! {
            shown = &mut showing => shown.map(|()| false),
            status = child.wait() => {
                status?;
                // Nobody has to close the terminal: a browser may have it open for ever.
                timeout(LAST_WORDS, showing).await.unwrap_or(Ok(())).map(|()| false)
            }
            typed = pass_on(terminal, &pty) => typed.map(|()| true),
            sized = resize(&mut resizes, terminal, &pty, &interceptor) => sized.map(|()| true),
            Order::Stop | Order::Reload = orders.next() => Ok(true),
        }?
    };
    let mut last = Zeroizing::new(Vec::with_capacity(CHUNK));
    let token = interceptor.into_inner().finish(&mut last);
    if cancelled {
        child.kill().await?;
        return Ok(Ended::Cancelled);
    }
    terminal.write_all(&last).await?;
    timeout(LAST_WORDS, child.wait())
        .await
        .unwrap_or_else(|_| child.start_kill().map(|()| ExitStatus::default()))?;
    Ok(Ended::Itself(token))
}

/// Shows what the client writes, but for tokens, until nobody writes any more.
async fn show(pty: &Pty, terminal: &RawTerminal, interceptor: &RefCell<Interceptor>) -> io::Result<()> {
    let mut written = Zeroizing::new([0; CHUNK]);
    // Three times what can come of one chunk: nothing is ever copied to a larger buffer.
    let mut screen = Zeroizing::new(Vec::with_capacity(3 * CHUNK));
    loop {
        let count = pty.read(&mut *written).await?;
        let bytes = written.get(..count).unwrap_or_default();
        if bytes.is_empty() {
            return Ok(());
        }
        interceptor.borrow_mut().take(bytes, &mut screen);
        terminal.write_all(&screen).await?;
        screen.zeroize();
        written.zeroize();
    }
}

/// Types for the client what the person types, until the terminal is gone or patience is at its end.
async fn pass_on(terminal: &RawTerminal, pty: &Pty) -> io::Result<()> {
    let mut typed = Zeroizing::new([0; CHUNK]);
    let mut interrupts = 0;
    loop {
        let count = terminal.read(&mut *typed).await?;
        let bytes = typed.get(..count).unwrap_or_default();
        interrupts = if bytes == [INTERRUPT] { interrupts + 1 } else { 0 };
        if bytes.is_empty() || interrupts >= IMPATIENT {
            return Ok(());
        }
        pty.write_all(bytes).await?;
        typed.zeroize();
    }
}

async fn resize(
    resizes: &mut Resizes,
    terminal: &RawTerminal,
    pty: &Pty,
    interceptor: &RefCell<Interceptor>,
) -> io::Result<()> {
    loop {
        resizes.next().await;
        let size = terminal.size()?;
        interceptor.borrow_mut().resize(size.columns);
        pty.resize(size)?;
    }
}
