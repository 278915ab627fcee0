//! A process with a keyring, as the daemon is one: reads one command a line, answers with one line of
//! JSON each. It is a test that only the other tests run, in an environment of their own.

use std::{
    collections::BTreeMap,
    io::{self, BufRead as _, Read},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use claudectl_platform::memory::SecretPage;
use claudectld::keyring::{Details, Keyring, KeyringError, Patience, Profile, Record, Unlock};
use serde_json::{Value, json};

#[test]
#[ignore = "the program that the other tests drive"]
fn program() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bus = std::env::var("DBUS_SESSION_BUS_ADDRESS").ok();
    let settings = number("PROBE_LIMIT");
    let mut patience = Patience::default();
    patience.answer = number("PROBE_ANSWER_MS").map_or(patience.answer, Duration::from_millis);
    patience.person = number("PROBE_PERSON_MS").map_or(patience.person, Duration::from_millis);
    let limit = settings.map(|limit| usize::try_from(limit).unwrap());
    let keyring = Keyring::with(bus.as_deref(), patience, limit);
    println!("{}", json!({"ready": true}));
    for line in io::stdin().lock().lines() {
        let command: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let began = Instant::now();
        let (outcome, asked) = runtime.block_on(obey(&keyring, &command));
        let mut answer = outcome;
        answer["ms"] = u64::try_from(began.elapsed().as_millis()).unwrap().into();
        answer["asked"] = asked.into();
        println!("{answer}");
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

async fn obey(keyring: &Keyring, command: &Value) -> (Value, bool) {
    let asked = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&asked);
    let ask = move || told.store(true, Ordering::Relaxed);
    let unlock = if command["ask"] == true { Unlock::Ask(&ask) } else { Unlock::Never };
    let account = command["account"].as_str().unwrap_or_default();
    let outcome = match command["do"].as_str().unwrap() {
        "store" => keyring.store(&record(command), unlock).await.map(|()| json!({})),
        "load" => keyring.load(account, unlock).await.map(|record| shown(&record)),
        "delete" => keyring.delete(account, unlock).await.map(|existed| json!({"existed": existed})),
        "list" => keyring.list().await.map(|kept| json!({"accounts": kept.accounts, "hidden": kept.hidden})),
        other => panic!("{other}"),
    };
    let mut answer = outcome.unwrap_or_else(
        |error| json!({"error": name(&error), "text": error.to_string(), "hint": error.hint()}),
    );
    answer["outcome"] = answer.get("error").cloned().unwrap_or_else(|| "done".into());
    (answer, asked.load(Ordering::Relaxed))
}

/// The name of the variant.
fn name(error: &KeyringError) -> String {
    let text = match error {
        KeyringError::Keyring(cause) => format!("{cause:?}"),
        KeyringError::Record(cause) => format!("{cause:?}"),
        other => format!("{other:?}"),
    };
    text.chars().take_while(char::is_ascii_alphanumeric).collect()
}

fn page(mut secret: &[u8]) -> Arc<SecretPage> {
    Arc::new(SecretPage::fill(|free| secret.read(free)).unwrap())
}

fn record(command: &Value) -> Record {
    let text = |name: &str| command[name].as_str().map(str::to_owned);
    let details = Details {
        account: text("account").unwrap(),
        kind: "oauth".into(),
        header: "bearer".into(),
        upstream: "https://api.anthropic.com".into(),
        proxy: None,
        ca_file: None,
        ca_digest: None,
        authority: None,
        expires: None,
        profile: Profile { organization: text("note"), ..Profile::default() },
        checked: true,
        logged_in_at: 1_790_000_000,
    };
    let refresh = text("refresh").map(|token| page(token.as_bytes()));
    Record { details, access: page(text("access").unwrap().as_bytes()), refresh }
}

/// What a record holds, its secrets as a number: they are not to be printed.
fn shown(record: &Record) -> Value {
    let hash = |page: &SecretPage| page.expose(fingerprint);
    let refresh = record.refresh.as_deref().and_then(hash);
    let fields = BTreeMap::from([("access", hash(&record.access)), ("refresh", refresh)]);
    json!({"secrets": fields, "note": record.details.profile.organization})
}

/// Tells secrets apart in what a test prints (FNV-1a).
pub(crate) fn fingerprint(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step) >> 12
}
