//! The servers that the genuine client signs in at, and a server of tools that wants a login of its own: faked
//! on loopback.

use serde_json::{Value, json};

use super::{Consent, Genuine};
use crate::{
    canary, isolation,
    program::Program,
    require::Missing,
    sandbox::Sandbox,
    upstream::{ANTHROPIC, FakeUpstream, Reply, Request},
};

const ACCOUNT: &str = "22222222-2222-4222-8222-222222222222";
const ORGANIZATION: &str = "11111111-1111-4111-8111-111111111111";

/// What a login gives: each is a canary.
#[derive(Debug, Clone)]
pub struct Issued {
    /// Typed or sent back by the browser.
    pub code: String,
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
}

impl Issued {
    fn new(access: &str, refresh: &str) -> Self {
        let random = || canary::key()[canary::PREFIX.len()..].to_owned();
        let token = |form: &str| format!("{form}-TEST{}", random());
        Self { code: random(), access: token(access), refresh: token(refresh) }
    }

    fn of_anthropic(place: &Genuine) -> Self {
        let issued = Self::new("sk-ant-oat01", "sk-ant-ort01");
        issued.look_for(&place.sandbox);
        issued
    }

    /// Has [`Sandbox::assert_clean`] look for all of it.
    pub fn look_for(&self, sandbox: &Sandbox) {
        for secret in [&self.code, &self.access, &self.refresh] {
            sandbox.look_for(secret);
        }
    }

    fn reply(&self, scope: &str) -> Reply {
        let tokens = json!({
            "token_type": "Bearer", "access_token": self.access, "refresh_token": self.refresh,
            "expires_in": 28_800, "scope": scope,
            "account": {"uuid": ACCOUNT, "email_address": "test@example.org"},
            "organization": {"uuid": ORGANIZATION, "name": "TEST"},
        });
        Reply::json(&tokens.to_string())
    }
}

/// Anthropic's, for a place in which their names lead to loopback.
pub struct Servers(FakeUpstream);

impl Servers {
    /// Starts them for everything that this place starts from now on. They confirm every revocation.
    ///
    /// # Errors
    /// Not root.
    pub fn start(place: &mut Genuine) -> Result<Self, Missing> {
        isolation::private_names(&place.sandbox.path("tmp/hosts"), ANTHROPIC)?;
        let upstream = FakeUpstream::in_place_of_anthropic([place.key.as_str()]);
        let authority = place.sandbox.path("tmp/authority.pem");
        upstream.write_authority(&authority);
        place.sandbox.set("NODE_EXTRA_CA_CERTS", authority);
        let account = json!({"uuid": ACCOUNT, "email": "test@example.org", "full_name": "Test",
            "display_name": "Test", "has_claude_max": true});
        let organization = json!({"uuid": ORGANIZATION, "name": "TEST", "organization_type": "claude_max",
            "rate_limit_tier": "default_claude_max_5x"});
        let profile = json!({"account": account, "organization": organization});
        upstream.answer("/api/oauth/profile", Reply::json(&profile.to_string()));
        let roles = json!({"organization_role": "admin", "organization_name": "TEST"});
        upstream.answer("/api/oauth/claude_cli/roles", Reply::json(&roles.to_string()));
        upstream.answer("/v1/oauth/token/revoke", Reply::json("{}"));
        Ok(Self(upstream))
    }

    /// The API among them.
    pub fn upstream(&self) -> &FakeUpstream {
        &self.0
    }

    /// What the next login to a subscription gives.
    pub fn issue(&self, place: &Genuine) -> Issued {
        let issued = Issued::of_anthropic(place);
        self.0.accept(&issued.access);
        self.0.answer("/v1/oauth/token", issued.reply("user:inference user:profile user:mcp_servers"));
        issued
    }

    /// What the next login to the Console gives: tokens that may only make a key, and the key.
    pub fn issue_key(&self, place: &Genuine) -> (Issued, String) {
        let (issued, key) = (Issued::of_anthropic(place), place.sandbox.key());
        self.0.accept(&key);
        self.0.answer("/v1/oauth/token", issued.reply("org:create_api_key user:profile"));
        let made = json!({"raw_key": key});
        self.0.answer("/api/oauth/claude_cli/create_api_key", Reply::json(&made.to_string()));
        (issued, key)
    }

    /// Answers every revocation like this from now on.
    pub fn answer_revocations(&self, reply: Reply) {
        self.0.answer("/v1/oauth/token/revoke", reply);
    }

    /// Every token that somebody asked to revoke, in order.
    pub fn revoked(&self) -> Vec<String> {
        self.bodies("/v1/oauth/token/revoke").iter().map(|body| word(body, "token")).collect()
    }

    /// What the client proved each exchange of a code with.
    pub fn verifiers(&self) -> Vec<String> {
        let exchanges = self.bodies("/v1/oauth/token");
        exchanges.iter().map(|body| word(body, "code_verifier")).filter(|word| !word.is_empty()).collect()
    }

    fn bodies(&self, path: &str) -> Vec<Value> {
        let requests = self.0.requests();
        requests.iter().filter(|request| request.path() == path).map(Request::json).collect()
    }
}

fn word(body: &Value, name: &str) -> String {
    body[name].as_str().unwrap_or_default().to_owned()
}

/// A server of tools that wants a login.
pub struct Tools {
    server: FakeUpstream,
    /// What its login gives.
    pub issued: Issued,
}

impl Tools {
    /// Starts one on loopback.
    pub fn start() -> Self {
        let issued = Issued::new("tools-access", "tools-refresh");
        let server = FakeUpstream::plain([issued.access.as_str()]);
        let url = server.url();
        let resource = json!({"resource": format!("{url}/mcp"), "authorization_servers": [url]});
        for path in ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"] {
            server.answer(path, Reply::json(&resource.to_string()));
        }
        let metadata = json!({
            "issuer": url, "authorization_endpoint": format!("{url}/authorize"),
            "token_endpoint": format!("{url}/token"), "registration_endpoint": format!("{url}/register"),
            "response_types_supported": ["code"], "code_challenge_methods_supported": ["S256"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_methods_supported": ["none"],
        });
        server.answer("/.well-known/oauth-authorization-server", Reply::json(&metadata.to_string()));
        let client = json!({"client_id": "client-of-a-test", "redirect_uris": ["http://localhost/callback"],
            "token_endpoint_auth_method": "none"});
        server.answer("/register", Reply::json(&client.to_string()));
        let tokens = json!({"token_type": "Bearer", "access_token": issued.access,
            "refresh_token": issued.refresh, "expires_in": 3600});
        server.answer("/token", Reply::json(&tokens.to_string()));
        server.model(answer);
        Self { server, issued }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("{}/mcp", self.server.url())
    }

    /// What the client proved each exchange of a code with.
    pub fn verifiers(&self) -> Vec<String> {
        let requests = self.server.requests();
        let exchanges = requests.iter().filter(|request| request.path() == "/token");
        let form = exchanges.map(|request| String::from_utf8_lossy(&request.body).into_owned());
        form.filter_map(|form| {
            form.split('&').find_map(|pair| pair.strip_prefix("code_verifier=")).map(str::to_owned)
        })
        .collect()
    }
}

/// As much of the Model Context Protocol as a client that looks whether its login works needs.
fn answer(request: &Request) -> Option<Reply> {
    let call = request.json();
    let result = match call["method"].as_str()? {
        "initialize" => json!({"protocolVersion": call["params"]["protocolVersion"],
            "capabilities": {"tools": {}}, "serverInfo": {"name": "tools-of-a-test", "version": "1"}}),
        "tools/list" => json!({"tools": []}),
        _ => return Some(Reply::status(202, "", "")),
    };
    let reply = json!({"jsonrpc": "2.0", "id": call["id"], "result": result});
    Some(Reply::json(&reply.to_string()))
}

impl Genuine {
    /// Starts the genuine client itself, not the shim; with this configuration directory below the home, or
    /// its own.
    pub fn client(&self, directory: Option<&str>, arguments: &[&str]) -> Program {
        let mut command = self.sandbox.command(self.sandbox.path("genuine/claude"));
        command.args(arguments);
        if let Some(directory) = directory {
            command.env("CLAUDE_CONFIG_DIR", self.sandbox.home().join(directory));
        }
        self.sandbox.start(command)
    }

    /// Signs in with its own `claude auth login`, in a browser.
    pub fn sign_in(&self, consent: &Consent, directory: Option<&str>, kind: &str, issued: &Issued) {
        let login = self.client(directory, &["auth", "login", kind]);
        consent.given(&issued.code);
        let output = login.finish().exited(0);
        assert!(output.stdout.contains("Login successful"), "{output:?}");
    }
}
