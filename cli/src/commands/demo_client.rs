//! `claudectl demo-client` (hidden: the built-in client of the demonstration)

use clap::{ArgMatches, Command};

use crate::{
    Context,
    demo::client,
    error::Error,
    exit::Exit,
    output::{Output, text::Plain},
};

/// Its command line.
pub fn build(command: Command) -> Command {
    command.about("Send a prompt, wait for a line on stdin, send it again").hide(true)
}

/// Sends a prompt, shows what this session holds, and sends the prompt again when told to.
///
/// # Errors
/// If this is not a session.
#[allow(clippy::unused_async, reason = "every command is")]
pub async fn run(_matches: &ArgMatches, context: &Context) -> Result<Exit, Error> {
    show(&client::prompt(&context.environment, "Say hello.")?)?;
    Output::write("  what this session holds:")?;
    for line in client::credentials(&context.environment) {
        Output::write(&format!("    {}", Plain(&line)))?;
    }
    // The demonstration reads this line, and goes on.
    Output::write("")?;
    let mut line = String::new();
    let told = std::io::stdin().read_line(&mut line)?;
    if told > 0 {
        show(&client::prompt(&context.environment, "Say hello again.")?)?;
    }
    Ok(Exit::Ok)
}

fn show(answer: &Result<String, String>) -> Result<(), Error> {
    match answer {
        Ok(text) => Output::write(&format!("  answer:  {}", Plain(text))),
        Err(sentence) => Output::write(&format!("  refused: {}", Plain(sentence))),
    }
}
