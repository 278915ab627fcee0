//! What a login waits for, shown and done step by step.

use std::path::PathBuf;

use claudectl_platform::terminal;
use claudectl_proto::{
    client::hand_over,
    v1::{Grant, LoggedIn, LoginResponse, SignIn, login_response::Step},
};
use tonic::Streaming;
use zeroize::Zeroizing;

use crate::{
    error::Error,
    output::{
        Waiting, complain,
        text::{BOLD, Plain, styled},
    },
};

/// Does what the daemon waits for, until the account is logged in. The key is wiped as soon as it was
/// handed over, not only when the upstream has answered.
pub(super) async fn follow(
    steps: &mut Streaming<LoginResponse>,
    mut key: Option<Zeroizing<Vec<u8>>>,
) -> Result<LoggedIn, Error> {
    let mut spinner = None;
    while let Some(response) = steps.message().await? {
        // The one before has done its work, whatever comes.
        drop(spinner.take());
        match response.step {
            Some(Step::Intake(intake)) => {
                let key =
                    key.take().ok_or_else(|| Error::new("claudectld asked for a key that there is not"))?;
                hand_over(&PathBuf::from(&intake.path), &key).await?;
            }
            Some(Step::SignIn(sign_in)) => spinner = sign_in_at(&sign_in).await?,
            Some(Step::Exchanging(exchanging)) => {
                spinner = Some(asking(&exchanging.origin));
            }
            Some(Step::Checking(checking)) => spinner = Some(asking(&checking.upstream)),
            Some(Step::Storing(storing)) => {
                complain("The keyring is locked: answer its prompt.");
                spinner = Some(Waiting::until("waiting for the keyring", storing.expires_in));
            }
            Some(Step::LoggedIn(logged_in)) => return Ok(logged_in),
            // A step of a newer daemon that asks nothing of us.
            None => {}
        }
    }
    drop(spinner);
    Err(Error::new("claudectld ended the login without an answer"))
}

fn asking(whom: &str) -> Waiting {
    Waiting::new(format!("asking {} …", Plain(whom)))
}

/// Shows what the person has to do, and does the part of it that can be done from here.
async fn sign_in_at(sign_in: &SignIn) -> Result<Option<Waiting>, Error> {
    if !sign_in.fingerprint.is_empty() {
        complain(&certificate(sign_in));
    }
    let waiting = |what| Some(Waiting::until(what, sign_in.expires_in));
    match sign_in.grant() {
        Grant::Device => {
            complain(&device_code(sign_in));
            Ok(waiting("waiting for you to sign in"))
        }
        Grant::Paste => {
            complain(&format!(
                "Open this page in any browser and sign in, within {} minutes:\n\n  {}\n",
                sign_in.expires_in.div_ceil(60),
                Plain(&sign_in.url)
            ));
            let mut code = Zeroizing::new(Vec::with_capacity(PASTE));
            let prompt = "Then paste the code, or the whole address, that it shows at the end: ";
            let read = if terminal::is_terminal() {
                terminal::read_hidden(prompt, &mut code)
            } else {
                super::credential::read_all(&mut code)
            };
            read.map_err(|error| Error::new("the code could not be read").because(&error))?;
            hand_over(&PathBuf::from(&sign_in.intake), &code).await?;
            Ok(None)
        }
        Grant::Browser | Grant::Unspecified => {
            complain(&format!(
                "Sign in at {} in the browser that opens. If none does, open this page:\n\n  {}\n",
                styled(BOLD, Plain(&sign_in.origin)),
                Plain(&sign_in.url)
            ));
            open(&sign_in.url);
            Ok(waiting("waiting for the browser"))
        }
    }
}

/// The gateway's certificate, and whether it is to be compared.
fn certificate(sign_in: &SignIn) -> String {
    let known = if sign_in.first_use {
        "seen for the first time, and pinned with this login: compare it"
    } else {
        "the one that is pinned"
    };
    format!("The gateway's certificate (SHA-256), {known}:\n  {}", Plain(&sign_in.fingerprint))
}

/// Longest answer that is pasted, in bytes: an address with a code in it.
const PASTE: usize = 16 * 1024;

/// The code, so that nobody misreads it, and the page that it belongs to.
fn device_code(sign_in: &SignIn) -> String {
    let code = Plain(&sign_in.code).to_string();
    let bar = "─".repeat(code.chars().count() + 6);
    format!(
        "Open this page in any browser:\n\n  {}\n\nand type this code there:\n\n  ┌{bar}┐\n  │   {}   │\n  └{bar}┘\n",
        styled(BOLD, Plain(&sign_in.url)),
        styled(BOLD, &code),
    ) + &complete(sign_in)
}

/// The page with the code in it already, where there is one.
fn complete(sign_in: &SignIn) -> String {
    match sign_in.complete_url.as_str() {
        "" => String::new(),
        url => format!("\nor open this one, and compare the code:\n\n  {}\n", Plain(url)),
    }
}

/// Opens the default browser. If that fails, the page is on the terminal already.
fn open(url: &str) {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    if is_web && let Err(error) = open::that_detached(url) {
        complain(&format!("No browser could be opened: {error}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_to_be_compared_once() {
        let sign_in = |first_use| SignIn { fingerprint: "aa".into(), first_use, ..SignIn::default() };
        assert!(certificate(&sign_in(true)).contains("first time"));
        assert!(!certificate(&sign_in(false)).contains("first time"));
    }

    #[test]
    fn the_code_stands_in_a_box_that_fits_and_nothing_of_it_moves_the_cursor() {
        let sign_in = SignIn {
            url: "https://as.example/device".into(),
            code: "WDJB-MJHT\u{1b}[2J".into(),
            ..SignIn::default()
        };
        let text = anstream::adapter::strip_str(&device_code(&sign_in)).to_string();
        assert!(text.contains("  https://as.example/device\n"), "{text}");
        assert!(text.contains("│   WDJB-MJHT\\u{1b}[2J   │"), "{text}");
        let widths: Vec<_> = text
            .lines()
            .filter(|line| line.contains(['┌', '│', '└']))
            .map(|line| line.chars().count())
            .collect();
        assert!(widths.len() == 3 && widths.iter().all(|width| *width == widths[0]), "{text}");
    }
}
