//! A page as HTTP and HTML.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::digest;

use super::{Advice, OUTCOME, Page, Tone};

const STYLE: &str = include_str!("style.css");

/// On every answer: kept nowhere, framed nowhere, and leading nowhere.
const FIELDS: &str = "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n\
    X-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\nCross-Origin-Opener-Policy: same-origin\r\n\
    Connection: close\r\n";

impl Page {
    /// The answer that shows it.
    pub(in crate::oauth) fn answer(&self) -> Vec<u8> {
        let html = self.html();
        format!(
            "HTTP/1.1 {}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
             Content-Security-Policy: {}\r\n{FIELDS}\r\n{html}",
            self.status,
            html.len(),
            policy()
        )
        .into_bytes()
    }

    /// The answer that leads to the outcome, away from an address with a code in it.
    pub(in crate::oauth) fn to_outcome() -> Vec<u8> {
        format!(
            "HTTP/1.1 303 See Other\r\nLocation: {OUTCOME}\r\nContent-Length: 0\r\n\
             Content-Security-Policy: default-src 'none'\r\n{FIELDS}\r\n"
        )
        .into_bytes()
    }

    fn html(&self) -> String {
        let tone = match self.tone {
            Tone::Good => "good",
            Tone::Bad => "bad",
            Tone::Plain => "plain",
        };
        let mut facts = String::new();
        for (label, value) in &self.facts {
            // Writing to a String cannot fail.
            let _ = write!(facts, "<div><dt>{}</dt><dd>{}</dd></div>", escaped(label), escaped(value));
        }
        if !facts.is_empty() {
            facts = format!("<dl>{facts}</dl>");
        }
        let advice = match &self.advice {
            Advice::Words(words) => format!("<p class=\"advice\">{}</p>", escaped(words)),
            Advice::Command(words, command) => format!(
                "<p class=\"advice\">{}:</p><pre><code>{}</code></pre>",
                escaped(&super::capitalised(words)),
                escaped(command)
            ),
        };
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\">\
             <title>{title} · claudectl</title><style>{STYLE}</style></head>\
             <body class=\"{tone}\"><main><p class=\"brand\">claudectl</p>{icon}<h1>{title}</h1>\
             <p class=\"lead\">{lead}</p>{facts}{advice}</main></body></html>\n",
            title = escaped(self.title),
            lead = escaped(&self.lead),
            icon = icon(self.tone),
        )
    }
}

/// A picture that is part of the page: nothing is fetched.
fn icon(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => {
            "<svg viewBox=\"0 0 48 48\" role=\"img\" aria-label=\"done\"><circle cx=\"24\" cy=\"24\" r=\"22\"/>\
             <path d=\"M14.5 24.5l6.5 6.5 12.5-13.5\"/></svg>"
        }
        Tone::Bad => {
            "<svg viewBox=\"0 0 48 48\" role=\"img\" aria-label=\"failed\"><circle cx=\"24\" cy=\"24\" r=\"22\"/>\
             <path d=\"M17 17l14 14M31 17L17 31\"/></svg>"
        }
        Tone::Plain => {
            "<svg viewBox=\"0 0 48 48\" role=\"img\" aria-label=\"note\"><circle cx=\"24\" cy=\"24\" r=\"22\"/>\
             <path d=\"M24 14v13M24 33.5v.5\"/></svg>"
        }
    }
}

/// Nothing is loaded, run, sent or framed; the one style is named by its digest.
fn policy() -> String {
    let style = STANDARD.encode(digest::digest(&digest::SHA256, STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_server_says_is_text() {
        let page = Page {
            lead: "<script>alert(1)</script>".into(),
            facts: vec![("Signed in as", "\"><img src=x onerror='x'>&".into())],
            ..Page::stranger()
        };
        let html = page.html();
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{html}");
        assert!(html.contains("&quot;&gt;&lt;img src=x onerror=&#39;x&#39;&gt;&amp;"), "{html}");
        assert!(!html.contains("<script") && !html.contains("<img"));
    }

    #[test]
    fn nothing_is_loaded_run_kept_or_framed() {
        let answer = String::from_utf8(Page::stranger().answer()).unwrap();
        for field in [
            "Content-Security-Policy: default-src 'none'; style-src 'sha256-",
            "Cache-Control: no-store",
            "Referrer-Policy: no-referrer",
            "X-Content-Type-Options: nosniff",
            "Connection: close",
        ] {
            assert!(answer.contains(&format!("\r\n{field}")), "{field}");
        }
        let (_, html) = answer.split_once("\r\n\r\n").unwrap();
        for outside in ["http:", "https:", "src=", "href=", "url(", "@import", "<script", " on"] {
            assert!(
                !html.contains(&format!("<{outside}")) && !html.contains(&format!("={outside}")),
                "{outside}"
            );
        }
        assert!(
            !html.contains("src=")
                && !html.contains("href=")
                && !STYLE.contains("url(")
                && !STYLE.contains("@import")
        );
        let redirect = String::from_utf8(Page::to_outcome()).unwrap();
        assert!(redirect.contains("\r\nLocation: /signed-in\r\n") && redirect.contains("no-store"));
    }
}
