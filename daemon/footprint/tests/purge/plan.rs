use std::path::Path;

use claudectl_footprint::{
    Finding, Kind, Location, Place, Remedy,
    catalog::{At, Group, Platforms, Reader},
    finding::{FingerprintKey, Holder},
    plan::{Choice, Plan, Removal, Why},
    receipt::Outcome,
};

use super::seeded::{SEEDS, look, seed};

const PLACES: &[&str] = &[
    "claude.credentials",
    "claude.settings",
    "claude.backups",
    "claude.transcripts",
    "profile.shell",
    "history.shell",
];

fn choice(only: &[&str], keep: &[&str], everything: bool) -> Choice {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    Choice::new(&owned(only), &owned(keep), everything, PLACES).unwrap()
}

fn findings() -> (tempfile::TempDir, Vec<Finding>) {
    let home = tempfile::tempdir().unwrap();
    seed(home.path(), SEEDS);
    let found = look(home.path(), SEEDS, &FingerprintKey::random().unwrap());
    (home, found)
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.files.iter().map(|step| step.path.file_name().unwrap().to_str().unwrap()).collect()
}

#[test]
fn everything_has_its_own_way_and_its_place_in_the_order() {
    let (home, found) = findings();
    let plan = Plan::new(found, &choice(&[], &[], false), home.path());
    assert_eq!(plan.clients.len(), 1);
    assert_eq!(plan.clients[0].directory, None, "the client's own default");
    let ways: Vec<_> = plan
        .files
        .iter()
        .map(|step| {
            (step.path.file_name().unwrap().to_str().unwrap(), step.delete, step.removals[0].1.clone())
        })
        .collect();
    assert_eq!(
        ways,
        [
            (".bash_history", false, Removal::Overwrite),
            (".bashrc", false, Removal::Assignment),
            (".credentials.json", false, Removal::Member("/claudeAiOauth".into())),
            (".claude.json.backup.1", true, Removal::Member("/primaryApiKey".into())),
            ("1.jsonl", false, Removal::Overwrite),
            ("settings.json", false, Removal::Member("/env/ANTHROPIC_API_KEY".into())),
        ]
    );
}

#[test]
fn words_choose_kinds_groups_and_places() {
    let (home, found) = findings();
    let plan = |choice: &Choice| Plan::new(found.clone(), choice, home.path());
    assert_eq!(names(&plan(&choice(&["profiles"], &[], false))), [".bashrc"]);
    assert_eq!(
        names(&plan(&choice(&["transcripts", "claude.settings"], &[], false))),
        ["1.jsonl", "settings.json"]
    );
    let kept = plan(&choice(&[], &["transcripts", "history"], false));
    assert_eq!(names(&kept), [".bashrc", ".credentials.json", ".claude.json.backup.1", "settings.json"]);
    assert_eq!(kept.kept.iter().map(|(_, why)| *why).collect::<Vec<_>>(), [Why::Kept, Why::Kept]);
    assert!(plan(&choice(&["refresh-token"], &[], false)).is_empty());
    assert!(plan(&choice(&["profiles"], &["api-key"], false)).is_empty(), "keep is stronger than only");
    assert!(Choice::new(&["transcript".to_owned()], &[], false, PLACES).is_err(), "no guesses");
}

#[test]
fn grants_of_other_services_stay_and_keep_their_file() {
    let (home, mut found) = findings();
    let mut grant = found[2].clone();
    grant.kind = Kind::McpSecret;
    found.push(grant);
    let plan = |everything| Plan::new(found.clone(), &choice(&[], &[], everything), home.path());
    let backup = |plan: &Plan| {
        plan.files.iter().find(|step| step.path.ends_with(".claude.json.backup.1")).unwrap().clone()
    };
    let careful = plan(false);
    assert_eq!(careful.kept[0].1, Why::OtherService);
    assert!(!backup(&careful).delete, "the grant is in it");
    assert!(plan(true).kept.is_empty());
    assert!(backup(&plan(true)).delete);
}

#[test]
fn another_configuration_directory_is_logged_out_by_name() {
    let (_home, found) = findings();
    let plan = Plan::new(found, &choice(&[], &[], false), Path::new("/elsewhere"));
    assert!(plan.clients[0].directory.as_ref().unwrap().ends_with(".claude"));
}

#[test]
fn what_runs_is_left_to_people() {
    static PROCESS: Place = Place {
        id: "process.claude",
        title: "a running claude",
        group: Group::Processes,
        at: At::Home(&[]),
        reader: Reader::Text,
        platforms: Platforms::ALL,
        power: "",
        remedy: Remedy::EndProcess,
        cheap: false,
        seen: true,
    };
    let (home, found) = findings();
    let mut process = found[0].clone();
    process.place = &PROCESS;
    process.location = Location::Variable {
        holder: Holder::Process { pid: 4242, started: 1, program: "claude".into() },
        name: "ANTHROPIC_API_KEY".into(),
    };
    let plan = Plan::new(vec![process], &choice(&[], &[], false), home.path());
    assert_eq!(plan.persons.len(), 1);
    let items = claudectl_footprint::purge::left(&plan);
    assert!(items[0].by.as_ref().unwrap().contains("4242"), "{items:?}");
}

fn stored_by_the_system(id: &str, location: Location, like: &Finding) -> Finding {
    let mut login = like.clone();
    login.place = claudectl_footprint::catalog::place(id).unwrap();
    login.kind = Kind::RefreshToken;
    login.fingerprint = FingerprintKey::random().unwrap().of(b"login");
    login.location = location;
    login
}

fn item_of(service: &str, like: &Finding) -> Finding {
    let location = Location::Keychain { service: service.to_owned(), account: "jane".to_owned() };
    stored_by_the_system("keychain.claude", location, like)
}

/// Deleting it would leave it in force at the server.
#[test]
fn a_login_in_a_keychain_is_logged_out_by_the_client_and_then_deleted() {
    let (home, found) = findings();
    let settings = found.iter().find(|finding| finding.place.id == "claude.settings").unwrap();
    // printf '%s' /config/work | sha256sum | cut -c-8
    let mut moved = settings.clone();
    if let Location::Stored(stored) = &mut moved.location {
        stored.path = "/config/work/settings.json".into();
    }
    let target = Location::CredentialManager { target: "Claude Code-credentials/jane".to_owned() };
    for (login, directory) in [
        (item_of("Claude Code-credentials", settings), Some(None)),
        (item_of("Claude Code-credentials-beca11b9", settings), Some(Some(Path::new("/config/work")))),
        (item_of("Claude Code-credentials-0a1b2c3d", settings), None),
        (item_of("Claude Code", settings), None),
        (stored_by_the_system("credential-manager.claude", target, settings), Some(None)),
    ] {
        let plan = Plan::new(vec![login.clone(), moved.clone()], &choice(&[], &[], false), home.path());
        let directories: Vec<_> = plan.clients.iter().map(|client| client.directory.as_deref()).collect();
        assert_eq!(directories, Vec::from_iter(directory), "{:?}", login.location);
        assert_eq!(plan.stores, std::slice::from_ref(&login));
        // What nobody logged out is not proven.
        let is_login = login.location != item_of("Claude Code", settings).location;
        let items = claudectl_footprint::purge::in_force(&[&login], |_| false);
        assert_eq!(items[0].outcome == Outcome::Unproven, is_login, "{items:?}");
        assert_eq!(claudectl_footprint::purge::in_force(&[&login], |_| true), []);
    }
}

/// Its log-out removes the file and the item of one directory.
#[test]
fn a_login_in_a_keychain_is_not_logged_out_with_what_is_to_stay() {
    let (home, mut found) = findings();
    let login = item_of("Claude Code-credentials", &found[0]);
    found.push(login);
    let plan = |keep: &[&str]| Plan::new(found.clone(), &choice(&[], keep, false), home.path());
    assert_eq!(plan(&[]).clients[0].findings.len(), 2);
    assert_eq!(plan(&["claude.credentials"]).clients, []);
    assert_eq!(plan(&["keychains"]).clients, []);

    // A grant of another service, alone in the file: nothing would save it.
    let grant = |finding: &Finding| Finding { kind: Kind::McpSecret, ..finding.clone() };
    let alone = found.iter().filter(|finding| {
        matches!(&finding.location, Location::Stored(stored) if stored.path.ends_with(".credentials.json"))
    });
    let mut alone: Vec<_> = alone.map(grant).collect();
    alone.push(found.last().unwrap().clone());
    let plan = Plan::new(alone, &choice(&[], &[], false), home.path());
    assert_eq!((plan.clients, plan.stores.len(), plan.kept.len()), (vec![], 1, 1));
}

/// The client would look for it in the directory of the file, and find nothing: then it says that it logged out.
#[test]
fn a_login_that_only_a_link_leads_to_is_not_the_clients_to_revoke() {
    let (home, mut found) = findings();
    for finding in &mut found {
        if let Location::Stored(stored) = &mut finding.location
            && stored.path.ends_with(".credentials.json")
        {
            stored.path = home.path().join("secrets/claude-login.json");
        }
    }
    let plan = Plan::new(found, &choice(&[], &[], false), home.path());
    assert_eq!(plan.clients, []);
    assert!(names(&plan).contains(&"claude-login.json"), "removed all the same");
}
