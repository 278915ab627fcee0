//! The JSON shapes: an interface, described in `cli/README.md`. A field is never removed or given
//! another meaning under the same schema name; new ones may come.

mod account;
mod audit;
pub mod desktop;
mod receipt;
mod session;
mod status;

use claudectl_proto::v1::Reason;
use serde::Serialize;

pub use account::{Account, Accounts, OneAccount};
pub use audit::Audit;
pub use receipt::{Receipt, is_proven, outcome};
pub use session::{OneSession, Session, Sessions};
pub use status::{Configuration, Status, Variable, role};

use super::{Output, text::is_harmless};
use crate::{error::Error, exit::Exit};

#[derive(Serialize)]
struct Document<'a, T> {
    schema: &'static str,
    #[serde(flatten)]
    body: &'a T,
}

/// One line of JSON, every harmful character escaped, so that it can be shown on a terminal.
///
/// # Errors
/// If it cannot be JSON, which none of the shapes here is capable of.
pub fn document<T: Serialize>(schema: &'static str, body: &T) -> Result<String, Error> {
    let text = serde_json::to_string(&Document { schema, body })
        .map_err(|error| Error::new("could not write the result as JSON").because(&error))?;
    Ok(escaped(&text))
}

/// JSON that is harmless on a terminal and means the same.
pub fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if is_harmless(c) {
            text.push(c);
        } else {
            let mut units = [0; 2];
            text.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    text
}

/// Writes an error as JSON to stdout, where a program looks for the result.
pub fn write_error(message: &str, hint: Option<&str>, reason: Option<Reason>, exit: Exit) {
    #[derive(Serialize)]
    struct Body<'a> {
        message: &'a str,
        hint: Option<&'a str>,
        reason: Option<String>,
        exit: u8,
    }
    let word =
        |reason: Reason| reason.as_str_name().trim_start_matches("REASON_").to_lowercase().replace('_', "-");
    let body = Body { message, hint, reason: reason.map(word), exit: exit.code() };
    let written = document("claudectl.error/1", &body).and_then(|line| Output::write(&line));
    // Without a stdout there is nobody to tell.
    drop(written);
}

fn present(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmful_characters_are_escaped_and_mean_the_same() {
        #[derive(Serialize)]
        struct Body {
            name: &'static str,
        }
        let name = "a\u{9b}b\u{202e}c\u{e0041}d\ne";
        let line = document("claudectl.test/1", &Body { name }).unwrap();
        assert!(line.chars().all(is_harmless), "{line}");
        let back: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(back.get("name").and_then(|value| value.as_str()), Some(name));
    }
}
