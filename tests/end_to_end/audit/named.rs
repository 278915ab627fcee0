//! Files that a variable names, wherever the variable is set.

use std::fs;

use claudectl_tests::{isolation::private_processes, need, sandbox::Sandbox, seed::write_private};
use serde_json::Value;

use super::audit;

fn found_in<'a>(document: &'a Value, path: &std::path::Path) -> Vec<&'a Value> {
    let path = path.to_str().unwrap();
    let all = document["findings"].as_array().unwrap().iter();
    all.filter(|one| one["place"] == "environment.named-files" && one["location"]["path"] == path).collect()
}

#[test]
fn what_a_variable_names_in_the_home_is_looked_at_and_left_to_the_person() {
    let name = "audit::named::what_a_variable_names_in_the_home_is_looked_at_and_left_to_the_person";
    if !need!(private_processes(name)) {
        return;
    }
    let mut sandbox = Sandbox::new();
    let home = sandbox.home();
    let (key, opaque) = (sandbox.key(), sandbox.key().replace("sk-ant-api03-", "opaque-"));
    // Named by this shell, by a profile with `$HOME`, by settings; none of them in a place of the catalogue.
    write_private(
        &home.join("keep/host.json"),
        format!("{{\"accessToken\":\"{opaque}\",\"for\":\"me\"}}").as_bytes(),
    );
    write_private(&home.join("keep/ingress"), format!("{opaque}\n").as_bytes());
    write_private(&home.join("keep/oauth"), key.replace("api03", "oat01").as_bytes());
    write_private(&home.join("keep/unnamed"), key.as_bytes());
    audit(&sandbox, 0);
    sandbox.set("CLAUDE_CODE_HOST_CREDS_FILE", home.join("keep/host.json"));
    write_private(
        &home.join(".bashrc"),
        b"export CLAUDE_SESSION_INGRESS_TOKEN_FILE=\"$HOME/keep/ingress\"\n",
    );
    let settings =
        format!("{{\"env\":{{\"CCR_OAUTH_TOKEN_FILE\":\"{}\"}}}}", home.join("keep/oauth").display());
    write_private(&home.join(".claude/settings.json"), settings.as_bytes());
    let document = audit(&sandbox, 1);
    for (file, kind) in
        [("host.json", "service-token"), ("ingress", "service-token"), ("oauth", "access-token")]
    {
        let found = found_in(&document, &home.join("keep").join(file));
        assert_eq!(found.len(), 1, "{file}: {document:#}");
        assert_eq!(found[0]["kind"], kind, "{file}: {document:#}");
    }
    assert_eq!(document["complete"], true, "{document:#}");

    // What else is in it nobody knows here. What leads there stays, also if that alone is chosen.
    for arguments in [["purge", "--yes", "--only", "pointer"].as_slice(), &["purge", "--yes"]] {
        sandbox.ctl(arguments).exited(6);
        let read = |file: &str| fs::read_to_string(home.join("keep").join(file)).unwrap();
        assert_eq!(read("host.json"), format!("{{\"accessToken\":\"{opaque}\",\"for\":\"me\"}}"));
        assert_eq!((read("ingress"), read("unnamed")), (format!("{opaque}\n"), key.clone()));
        assert_eq!(audit(&sandbox, 1)["findings"], document["findings"], "{arguments:?}");
    }
    // Once the files are gone, nothing leads anywhere, and goes.
    fs::remove_dir_all(home.join("keep")).unwrap();
    sandbox.unset("CLAUDE_CODE_HOST_CREDS_FILE");
    sandbox.ctl(&["purge", "--yes"]).exited(0);
    audit(&sandbox, 0);
    let settings = fs::read_to_string(home.join(".claude/settings.json")).unwrap();
    assert!(!settings.contains("CCR_OAUTH_TOKEN_FILE"), "{settings}");
}

/// Whatever the path looks like, the line that leads to it stays.
#[test]
fn a_variable_stays_unless_there_certainly_is_no_such_file() {
    if !need!(private_processes("audit::named::a_variable_stays_unless_there_certainly_is_no_such_file")) {
        return;
    }
    let sandbox = Sandbox::new();
    let home = sandbox.home();
    let key = sandbox.key();
    let profile = home.join(".bashrc");
    for (name, written) in [
        ("My Creds.json", "@@/My\\ Creds.json"),
        ("Creds (work) 100%.json", "\"@@/Creds (work) 100%.json\""),
        ("plain", "~/plain"),
        ("relative", "relative"),
    ] {
        let line = format!("export CCR_OAUTH_TOKEN_FILE={}\n", written.replace("@@", home.to_str().unwrap()));
        write_private(&home.join(name), key.as_bytes());
        write_private(&profile, line.as_bytes());
        sandbox.ctl(&["purge", "--yes"]).exited(6);
        assert_eq!(fs::read_to_string(&profile).unwrap(), line, "{name}");
        assert_eq!(fs::read_to_string(home.join(name)).unwrap(), key, "{name}");
        fs::remove_file(home.join(name)).unwrap();
        // Of a relative one nobody knows where that is.
        let (code, left) = if name == "relative" { (6, line.as_str()) } else { (0, "") };
        sandbox.ctl(&["purge", "--yes"]).exited(code);
        assert_eq!(fs::read_to_string(&profile).unwrap(), left, "{name}");
    }
}

/// It would be searched whole, and what is found in it overwritten.
#[test]
fn a_directory_that_a_project_names_is_looked_at_only_if_it_is_a_configuration_directory() {
    if !need!(private_processes(
        "audit::named::a_directory_that_a_project_names_is_looked_at_only_if_it_is_a_configuration_directory"
    )) {
        return;
    }
    let sandbox = Sandbox::new();
    let (home, work) = (sandbox.home(), sandbox.path("work"));
    let key = sandbox.key();
    let notes = home.join("vault/notes/keys.txt");
    write_private(&notes, key.as_bytes());
    write_private(&work.join(".envrc"), b"export CLAUDE_CONFIG_DIR=$HOME/vault\n");
    sandbox.ctl(&["purge", "--yes"]).exited(6);
    assert_eq!(fs::read_to_string(&notes).unwrap(), key);
    let document = audit(&sandbox, 6);
    assert_eq!(document["findings"].as_array().unwrap().len(), 0, "{document:#}");
    assert!(document["gaps"][0]["why"].as_str().unwrap().contains("this project calls it"), "{document:#}");
    // One that the client has used is one, unless its name leads out of the home.
    write_private(&home.join("vault/.claude.json"), b"{}");
    write_private(&work.join(".envrc"), b"export CLAUDE_CONFIG_DIR=$HOME/../home/vault\n");
    audit(&sandbox, 6);
    write_private(&work.join(".envrc"), b"export CLAUDE_CONFIG_DIR=$HOME/vault\n");
    audit(&sandbox, 1);
}

/// A repository is anybody's: what it says decides over no file of the user.
#[test]
fn what_a_project_names_is_not_looked_at() {
    if !need!(private_processes("audit::named::what_a_project_names_is_not_looked_at")) {
        return;
    }
    let sandbox = Sandbox::new();
    let (home, work) = (sandbox.home(), sandbox.path("work"));
    let (cloud, npm) = (home.join(".config/gcloud/adc.json"), home.join(".npmrc"));
    let secret = "{\"refresh_token\":\"opaque-0123456789abcdef\"}";
    write_private(&cloud, secret.as_bytes());
    write_private(&npm, b"//registry/:_authToken=npm-0123456789abcdef\n");
    let settings = format!(
        "{{\"env\":{{\"CLAUDE_CODE_HOST_CREDS_FILE\":\"{}\",\"CCR_OAUTH_TOKEN_FILE\":\"{}\"}}}}",
        cloud.display(),
        npm.display()
    );
    write_private(&work.join(".claude/settings.json"), settings.as_bytes());
    let document = audit(&sandbox, 1);
    assert!(found_in(&document, &cloud).is_empty() && found_in(&document, &npm).is_empty(), "{document:#}");
    sandbox.ctl(&["purge", "--yes"]).exited(6);
    assert_eq!(fs::read_to_string(&cloud).unwrap(), secret);
    assert!(fs::read_to_string(&npm).unwrap().contains("npm-0123456789abcdef"));
}

#[test]
fn one_that_is_elsewhere_is_a_gap_that_says_which_variable_names_it() {
    let mut sandbox = Sandbox::new();
    let outside = sandbox.path("tmp/token");
    write_private(&outside, sandbox.key().as_bytes());
    sandbox.set("ANTHROPIC_IDENTITY_TOKEN_FILE", &outside);
    let document = audit(&sandbox, 1);
    let gaps = document["gaps"].as_array().unwrap();
    assert_eq!(gaps.len(), 1, "{document:#}");
    assert_eq!(gaps[0]["what"], outside.to_str().unwrap());
    assert!(gaps[0]["why"].as_str().unwrap().contains("ANTHROPIC_IDENTITY_TOKEN_FILE"), "{document:#}");
    assert!(found_in(&document, &outside).is_empty(), "{document:#}");
    // Behind a link in the home it is as far away.
    let link = sandbox.home().join("token");
    std::os::unix::fs::symlink(&outside, &link).unwrap();
    sandbox.set("ANTHROPIC_IDENTITY_TOKEN_FILE", &link);
    assert_eq!(audit(&sandbox, 1)["complete"], false);
    // What is not there, or is a descriptor, hides nothing.
    for nothing in ["/nowhere/token", "/dev/fd/3"] {
        sandbox.set("ANTHROPIC_IDENTITY_TOKEN_FILE", nothing);
        assert_eq!(audit(&sandbox, 1)["complete"], true, "{nothing}");
    }
}
