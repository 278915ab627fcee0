//! The endpoints of a good authorization server.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest;
use serde_json::{Value, json};

use super::{
    CLIENT, Call, Consent, Form, Reply, State, encode,
    grants::{Code, Device},
};

pub(super) fn answer(state: &mut State, call: &Call) -> Reply {
    let form = &call.form;
    match call.what.as_str() {
        "GET /.well-known/oauth-authorization-server" => Reply::Json(200, metadata(state)),
        "GET /authorize" => authorize(state, form),
        "POST /token" => token(state, form),
        "POST /device_authorization" => device(state, form),
        "POST /revoke" => {
            state.grants.revoke(&text(form, "token"));
            Reply::Other(200, Vec::new(), "text/plain".into(), Vec::new())
        }
        "POST /introspect" => Reply::Json(200, json!({"active": state.grants.is_live(&text(form, "token"))})),
        "GET /userinfo" => userinfo(state, call),
        // A gateway is the API, too.
        "POST /v1/messages"
        | "GET /v1/models"
        | "GET /managed/settings"
        | "POST /v1/metrics"
        | "POST /v1/logs"
        | "POST /v1/traces" => api(state, call),
        _ => Reply::html(404, "<p>no such page"),
    }
}

fn metadata(state: &State) -> Value {
    let url = &state.url;
    let mut metadata = json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "device_authorization_endpoint": format!("{url}/device_authorization"),
        "revocation_endpoint": format!("{url}/revoke"),
        "introspection_endpoint": format!("{url}/introspect"),
        "userinfo_endpoint": format!("{url}/userinfo"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    });
    let changes = state.behaviour.metadata.as_object().expect("an object");
    for (name, value) in changes {
        if value.is_null() {
            metadata.as_object_mut().expect("an object").remove(name);
        } else {
            metadata[name] = value.clone();
        }
    }
    metadata
}

fn text(form: &Form, name: &str) -> String {
    form.get(name).cloned().unwrap_or_default()
}

/// A gateway registers nobody: there the product names itself.
fn is_client(form: &Form) -> bool {
    [CLIENT, "claudectl"].contains(&text(form, "client_id").as_str())
}

/// The person signs in at once and agrees.
fn authorize(state: &mut State, form: &Form) -> Reply {
    match consent(state, form) {
        Err(why) => Reply::html(400, &format!("<p>{why}")),
        Ok(consent) if consent.is_form_post => {
            let field = |(name, value)| format!("<input type=hidden name=\"{name}\" value=\"{value}\">");
            let fields = consent.form.iter().map(field).collect::<Vec<_>>().concat();
            let action = &consent.redirect_uri;
            Reply::html(
                200,
                &format!(
                    "<form method=post action=\"{action}\">{fields}</form><script>document.forms[0].submit()</script>"
                ),
            )
        }
        Ok(consent) => Reply::redirect(&consent.url()),
    }
}

/// What a browser is sent back with after the person agreed.
pub(super) fn consent(state: &mut State, form: &Form) -> Result<Consent, String> {
    let redirect_uri = text(form, "redirect_uri");
    let is_loopback = ["http://127.0.0.1:", "http://[::1]:"]
        .iter()
        .any(|start| redirect_uri.starts_with(start) && redirect_uri.ends_with("/callback"));
    let wrong = [
        (text(form, "response_type") != "code", "response_type"),
        (text(form, "client_id") != CLIENT, "client_id"),
        (text(form, "code_challenge_method") != "S256", "code_challenge_method"),
        (text(form, "code_challenge").len() != 43, "code_challenge"),
        (text(form, "state").len() < 16, "state"),
        (!is_loopback && redirect_uri != format!("{}/shows-the-code", state.url), "redirect_uri"),
    ];
    if let Some((_, name)) = wrong.iter().find(|(is_wrong, _)| *is_wrong) {
        return Err(format!("{name} is wrong"));
    }
    let code = state.grants.new_code(Code {
        challenge: text(form, "code_challenge"),
        redirect_uri: redirect_uri.clone(),
        scope: text(form, "scope"),
    });
    let mut answer = Form::from([("code".into(), code), ("state".into(), text(form, "state"))]);
    if let Some(issuer) = &state.behaviour.issuer {
        answer.insert("iss".into(), issuer.clone());
    }
    let is_form_post = text(form, "response_mode") == "form_post";
    Ok(Consent { redirect_uri, form: answer, is_form_post })
}

fn token(state: &mut State, form: &Form) -> Reply {
    if !is_client(form) {
        return Reply::error(401, "invalid_client");
    }
    match text(form, "grant_type").as_str() {
        "authorization_code" => {
            state.grants.note(text(form, "code_verifier"));
            let used = state.grants.use_code(&text(form, "code"));
            match used {
                Some((code, grant)) if fits(&code, form) => tokens(state, grant, &code.scope),
                _ => Reply::error(400, "invalid_grant"),
            }
        }
        "refresh_token" => {
            let rotates = state.behaviour.rotates;
            match state.grants.use_refresh(&text(form, "refresh_token"), rotates) {
                Some(grant) => tokens(state, grant, "offline_access"),
                None => Reply::error(400, "invalid_grant"),
            }
        }
        "urn:ietf:params:oauth:grant-type:device_code" => {
            match state.grants.device(&text(form, "device_code")) {
                Some((Device::Approved, scope)) => {
                    let grant = state.grants.new_grant();
                    tokens(state, grant, &scope)
                }
                Some((Device::Waiting, _)) => Reply::error(400, "authorization_pending"),
                Some((Device::Denied, _)) => Reply::error(400, "access_denied"),
                Some((Device::Expired, _)) => Reply::error(400, "expired_token"),
                None => Reply::error(400, "invalid_grant"),
            }
        }
        _ => Reply::error(400, "unsupported_grant_type"),
    }
}

/// Whether this is the client that the code was made for (RFC 7636 section 4.6).
fn fits(code: &Code, form: &Form) -> bool {
    let verifier = text(form, "code_verifier");
    let digest = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()));
    verifier.len() >= 43 && digest == code.challenge && text(form, "redirect_uri") == code.redirect_uri
}

fn tokens(state: &mut State, grant: usize, scope: &str) -> Reply {
    let access = state.grants.new_access(grant, &state.behaviour.access_claims);
    state.told.iter().for_each(|tell| tell(&access));
    let mut answer = json!({
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": state.behaviour.lifetime,
        "scope": scope,
    });
    // A gateway is asked for no scope.
    let is_lasting = scope.is_empty() || scope.contains("offline_access");
    if is_lasting && (state.behaviour.rotates || state.grants.is_first(grant)) {
        answer["refresh_token"] = json!(state.grants.new_refresh(grant));
    }
    if scope.contains("openid") {
        let mut claims = json!({"iss": state.url, "aud": CLIENT, "sub": "user-1"});
        for (name, value) in state.behaviour.claims.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        let part = |document: &Value| URL_SAFE_NO_PAD.encode(document.to_string());
        let signature = URL_SAFE_NO_PAD.encode(crate::canary::key());
        let id = format!("{}.{}.{signature}", part(&json!({"alg": "RS256"})), part(&claims));
        state.grants.note(signature);
        answer["id_token"] = json!(id);
    }
    Reply::Json(200, answer)
}

fn device(state: &mut State, form: &Form) -> Reply {
    if !is_client(form) {
        return Reply::error(401, "invalid_client");
    }
    let (device_code, user_code) = state.grants.new_device(&text(form, "scope"));
    let page = format!("{}/device", state.url);
    let complete = Form::from([("user_code".to_owned(), user_code.clone())]);
    Reply::Json(
        200,
        json!({
            "device_code": device_code,
            "user_code": user_code,
            "verification_uri": page,
            "verification_uri_complete": format!("{page}?{}", encode(&complete)),
            "expires_in": 600,
            "interval": state.behaviour.interval,
        }),
    )
}

fn bearer(state: &State, call: &Call) -> bool {
    let token = call.bearer.as_deref().and_then(|value| value.strip_prefix("Bearer "));
    token.is_some_and(|token| state.grants.is_live(token))
}

fn api(state: &State, call: &Call) -> Reply {
    if bearer(state, call) {
        return Reply::Json(200, json!({"data": []}));
    }
    let error = json!({"type": "authentication_error", "message": "log in again"});
    Reply::Json(401, json!({"type": "error", "error": error}))
}

fn userinfo(state: &State, call: &Call) -> Reply {
    if bearer(state, call) {
        Reply::Json(200, state.behaviour.userinfo.clone())
    } else {
        Reply::error(401, "invalid_token")
    }
}
