//! What a browser is shown: pages that need nothing but themselves, and run nothing.

mod answer;

use claudectl_core::ids::AccountName;

use super::{Authority, LoginError, Profile};

/// Where the outcome of a sign-in is shown: an address without a code in it.
pub(super) const OUTCOME: &str = "/signed-in";

/// How a page looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tone {
    Good,
    Bad,
    Plain,
}

/// A page. Its texts are escaped when it is written, wherever they come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    status: &'static str,
    tone: Tone,
    title: &'static str,
    lead: String,
    facts: Vec<(&'static str, String)>,
    advice: Advice,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Advice {
    Words(&'static str),
    /// Words, and a command to type.
    Command(&'static str, String),
}

impl Page {
    /// The tokens are there.
    pub(super) fn signed_in(authority: &Authority, account: &AccountName, profile: &Profile) -> Self {
        let told = [
            ("Signed in as", profile.email.clone()),
            ("Organisation", profile.organization.clone()),
            ("Plan", profile.plan.clone()),
        ];
        let mut facts = vec![("Account", account.to_string())];
        facts.extend(told.into_iter().filter_map(|(label, value)| Some((label, value?))));
        facts.push(("Server", authority.origin().to_owned()));
        Self {
            status: "200 OK",
            tone: Tone::Good,
            title: "Signed in",
            lead: "Your tokens went straight to claudectl on this machine. This browser never had them."
                .into(),
            facts,
            advice: Advice::Words("You can close this window and go back to your terminal."),
        }
    }

    /// The sign-in is over, without tokens.
    pub(super) fn failed(authority: &Authority, account: &AccountName, error: &LoginError) -> Self {
        let again = format!("claudectl login {account} --via {}", authority.name());
        Self {
            status: "200 OK",
            tone: Tone::Bad,
            title: "Not signed in",
            lead: sentence(&error.to_string()),
            facts: vec![("Account", account.to_string()), ("Server", authority.origin().to_owned())],
            advice: Advice::Command(error.hint(), again),
        }
    }

    /// The response belongs to another sign-in.
    pub(super) fn stranger() -> Self {
        Self::refusal(
            "400 Bad Request",
            "Not this sign-in",
            "This answer belongs to another sign-in, or to none. Nothing was done with it.",
            "The sign-in that your terminal waits for goes on: use the page that it opened last.",
        )
    }

    /// Another response was taken before.
    pub(super) fn already() -> Self {
        Self::refusal(
            "409 Conflict",
            "Already answered",
            "This sign-in was answered before. Nothing was done with this second answer.",
            "Your terminal says how it ended. You can close this window.",
        )
    }

    /// Nobody answered yet.
    pub(super) fn not_yet() -> Self {
        Self::refusal(
            "404 Not Found",
            "Nothing to see yet",
            "Nobody has signed in here yet.",
            "Sign in on the page that claudectl opened.",
        )
    }

    /// The name in `Host` is not ours.
    pub(super) fn misdirected() -> Self {
        Self::refusal(
            "421 Misdirected Request",
            "Not here",
            "This address was asked for by a name that is not its own.",
            "If you did not do that yourself, close the page that did.",
        )
    }

    /// There is nothing else.
    pub(super) fn not_here() -> Self {
        Self::refusal(
            "404 Not Found",
            "Not here",
            "There is nothing at this address.",
            "You can close this window.",
        )
    }

    /// Not a request as a browser sends it.
    pub(super) fn nonsense() -> Self {
        Self::refusal(
            "400 Bad Request",
            "Not understood",
            "This is not an answer as an authorization server gives it.",
            "The sign-in that your terminal waits for goes on.",
        )
    }

    /// Too much of it.
    pub(super) fn too_large() -> Self {
        Self::refusal(
            "413 Content Too Large",
            "Too much",
            "This answer is longer than any that an authorization server gives.",
            "The sign-in that your terminal waits for goes on.",
        )
    }

    fn refusal(status: &'static str, title: &'static str, lead: &'static str, advice: &'static str) -> Self {
        let (lead, advice) = (lead.to_owned(), Advice::Words(advice));
        Self { status, tone: Tone::Plain, title, lead, facts: Vec::new(), advice }
    }
}

/// An error as a sentence.
fn sentence(error: &str) -> String {
    let end = if error.ends_with(['.', '!', '?']) { "" } else { "." };
    capitalised(error) + end
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}
