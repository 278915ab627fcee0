//! What the stand-in says.

use serde_json::Value;

/// One reply.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Status and a JSON document.
    Json(u16, Value),
    /// Status, further fields, content type and body.
    Other(u16, Vec<(String, String)>, String, Vec<u8>),
    /// Exactly these bytes instead of a response.
    Raw(Vec<u8>),
    /// Nothing, until the other side gives up.
    Hang,
    /// Nothing, and the connection is closed.
    Close,
}

impl Reply {
    /// An error in the form of RFC 6749 section 5.2.
    pub fn error(status: u16, error: &str) -> Self {
        Self::Json(status, serde_json::json!({"error": error, "error_description": format!("test: {error}")}))
    }

    /// A redirect.
    pub fn redirect(location: &str) -> Self {
        Self::Other(302, vec![("Location".into(), location.into())], "text/plain".into(), Vec::new())
    }

    /// A page.
    pub fn html(status: u16, html: &str) -> Self {
        Self::Other(status, Vec::new(), "text/html; charset=utf-8".into(), html.into())
    }

    /// Exactly these bytes instead of a response.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Raw(bytes.into())
    }
}
