//! Log in, look, switch, log out, receipt.

use claudectl_tests::{
    json, memory, require,
    sandbox::Sandbox,
    session::Session,
    terminal::Terminal,
    upstream::{FakeUpstream, Reply, Request},
};

#[test]
fn a_login_a_look_and_a_logout_with_a_receipt() {
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    let told = sandbox
        .ctl_with(&["login", "work", "--api-key", "--upstream", &upstream.url(), "--json"], key.as_bytes())
        .exited(0)
        .json();
    assert_eq!(
        (&told["account"]["name"], &told["account"]["checked"]),
        (&"work".into(), &true.into()),
        "{told}"
    );
    // The key was shown to the upstream once, in the right place, and nothing else was.
    let asked: Vec<_> = upstream.requests().iter().flat_map(Request::credentials).collect();
    assert_eq!(asked, [("x-api-key".to_owned(), key)]);

    let status = sandbox.ctl(&["status", "--json"]).exited(0).json();
    assert_eq!((&status["logged_in"], &status["here"]["name"]), (&true.into(), &"work".into()), "{status}");
    assert_eq!(status["accounts"][0]["upstream"], upstream.url());
    sandbox.ctl(&["status", "--check"]).exited(0);
    sandbox.assert_clean(&[]);

    let receipt = sandbox.ctl(&["logout", "--json"]).exited(0).json();
    assert_eq!((&receipt["proven"], &receipt["accounts"][0]), (&true.into(), &"work".into()), "{receipt}");
    let outcomes: Vec<_> = receipt["items"].as_array().unwrap().iter().map(|item| &item["outcome"]).collect();
    assert_eq!(outcomes, ["proven", "out-of-reach"], "{receipt}");
    assert_eq!(sandbox.ctl(&["status", "--json"]).exited(0).json()["logged_in"], false);
    sandbox.ctl(&["status", "--check"]).exited(5);
    sandbox.assert_clean(&[]);
}

#[test]
fn logging_out_twice_and_from_nothing_is_no_failure() {
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    sandbox.ctl(&["logout", "--all"]).exited(0);
    sandbox.login("work", &key, &upstream);
    sandbox.ctl(&["logout", "--all"]).exited(0);
    let again = sandbox.ctl(&["logout", "--all", "--json"]).exited(0).json();
    assert_eq!(json::count(&again["items"]), 0, "{again}");
}

#[test]
fn a_wrong_key_is_refused_and_not_kept() {
    let sandbox = Sandbox::new();
    let (key, wrong) = (sandbox.key(), sandbox.key());
    let upstream = FakeUpstream::plain([key.as_str()]);
    let login = ["login", "work", "--api-key", "--upstream", &upstream.url(), "--json"];
    let error = sandbox.ctl_with(&login, wrong.as_bytes()).exited(1).json();
    assert_eq!(error["reason"], "credential-refused", "{error}");
    assert_eq!(sandbox.ctl(&["status", "--json"]).exited(0).json()["logged_in"], false);
    // A wrong key does not take the place of a right one either.
    sandbox.login("work", &key, &upstream);
    sandbox.ctl_with(&login, wrong.as_bytes()).exited(1);
    let mut session = Session::open(&sandbox, &[]);
    assert_eq!(session.message()["status"], 200);
    sandbox.assert_clean(&[]);
}

#[test]
fn what_cannot_be_a_key_is_refused_before_anybody_is_asked() {
    let sandbox = Sandbox::new();
    let upstream = FakeUpstream::plain([]);
    let url = upstream.url();
    for wrong in [
        "",
        "\n",
        "short",
        "sk-ant-api03-TEST with a space",
        "sk-ant-oat01-TESTTESTTESTTEST",
        "zwei\nzeilen-zwei-zeilen",
    ] {
        let error = sandbox
            .ctl_with(&["login", "--api-key", "--upstream", &url, "--json"], wrong.as_bytes())
            .exited(1)
            .json();
        // The client sees it, and does not hand it over.
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("not an API key") && !message.contains("TESTTEST"), "{wrong:?}: {error}");
    }
    assert_eq!(upstream.requests().len(), 0);
}

#[test]
fn a_key_among_the_arguments_is_refused_and_not_repeated() {
    let sandbox = Sandbox::new();
    let long = sandbox.key();
    let short = &long[..50];
    for arguments in [["login", "--api-key", &long], ["login", "--api-key", short], ["logout", &long, short]]
    {
        let output = sandbox.ctl_with(&arguments, b"sk-ant-api03-TESTTESTTESTTEST");
        assert!(output.code == 2 || arguments[0] != "login", "{output:?}");
        assert!(!output.stdout.contains(&long[..40]) && !output.stderr.contains(&long[..40]), "{output:?}");
    }
    let status = sandbox.ctl(&["status", "--json"]).exited(0).json();
    assert_eq!(json::count(&status["accounts"]), 0, "{status}");
}

#[test]
fn an_upstream_that_does_not_answer_is_said_and_offline_goes_on() {
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let gone = { FakeUpstream::plain([]).url() };
    let login = ["login", "work", "--api-key", "--upstream", &gone, "--json"];
    let error = sandbox.ctl_with(&login, key.as_bytes()).exited(1).json();
    assert_eq!(error["reason"], "upstream-unreachable", "{error}");
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("--offline")), "{error}");
    let told = sandbox.ctl_with(&[&login[..], &["--offline"]].concat(), key.as_bytes()).exited(0).json();
    assert_eq!(told["account"]["checked"], false, "{told}");
    // Its session says why nothing comes back, without the key.
    let mut session = Session::open(&sandbox, &[]);
    let answer = session.message();
    assert_eq!(answer["status"], 502, "{answer}");
    sandbox.assert_clean(&[session.pid()]);
}

#[test]
fn a_plain_upstream_is_taken_on_loopback_only() {
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    for upstream in [
        "http://192.0.2.1",
        "http://localhost.example.org",
        "ftp://127.0.0.1",
        "https://user:word@127.0.0.1",
        "nonsense",
    ] {
        let output =
            sandbox.ctl_with(&["login", "--api-key", "--offline", "--upstream", upstream], key.as_bytes());
        assert!(output.code == 2 || output.code == 1, "{upstream}: {output:?}");
    }
    assert_eq!(sandbox.ctl(&["status", "--json"]).exited(0).json()["logged_in"], false);
}

#[test]
fn two_accounts_at_once_never_mix() {
    let sandbox = Sandbox::new();
    let (home, work) = (sandbox.key(), sandbox.key());
    let (at_home, at_work) = (FakeUpstream::plain([home.as_str()]), FakeUpstream::plain([work.as_str()]));
    sandbox.login("home", &home, &at_home);
    sandbox.login("work", &work, &at_work);
    let accounts = sandbox.ctl(&["accounts", "--json"]).exited(0).json();
    assert_eq!(json::by(&accounts["accounts"], "name", "home")["default"], true, "{accounts}");

    let mut sessions = [Session::open(&sandbox, &[]), Session::open(&sandbox, &["--account", "work"])];
    sandbox.ctl(&["switch", "work"]).exited(0);
    let mut third = Session::open(&sandbox, &[]);
    for session in sessions.iter_mut().chain([&mut third]) {
        assert_eq!(session.message()["status"], 200);
    }
    let keys = |upstream: &FakeUpstream| -> Vec<_> {
        upstream.messages().iter().flat_map(Request::credentials).map(|(_, value)| value).collect()
    };
    assert_eq!(keys(&at_home), [home], "a switch does not move a running session");
    assert_eq!(keys(&at_work), [work.clone(), work]);

    // Logging one out leaves the other alone.
    sandbox.ctl(&["logout", "work"]).exited(0);
    assert_eq!(sessions[0].message()["status"], 200);
    assert_eq!(sessions[1].message()["status"], 401);
    sandbox.assert_clean(&[sessions[0].pid(), sessions[1].pid(), third.pid()]);
}

#[test]
fn with_several_accounts_and_no_default_none_is_guessed() {
    let sandbox = Sandbox::new();
    let keys = [sandbox.key(), sandbox.key(), sandbox.key()];
    let upstream = FakeUpstream::plain(keys.iter().map(String::as_str));
    for (name, key) in ["one", "two", "three"].iter().zip(&keys) {
        sandbox.login(name, key, &upstream);
    }
    sandbox.ctl(&["logout", "one"]).exited(0);
    let output = sandbox.ctl(&["run", "--", "true"]).exited(5);
    assert!(output.stderr.contains("three, two"), "{output:?}");
    sandbox.ctl(&["run", "--account", "two", "--", "true"]).exited(0);
    sandbox.ctl(&["switch", "nobody"]).exited(5);
}

#[test]
fn a_new_login_takes_the_place_of_the_old_one() {
    let sandbox = Sandbox::new();
    let (old, new) = (sandbox.key(), sandbox.key());
    let upstream = FakeUpstream::plain([old.as_str(), new.as_str()]);
    sandbox.login("work", &old, &upstream);
    let mut session = Session::open(&sandbox, &[]);
    session.message();
    let login = ["login", "work", "--api-key", "--upstream", &upstream.url(), "--json"];
    let told = sandbox.ctl_with(&login, new.as_bytes()).exited(0).json();
    assert_eq!(told["replaced"], true, "{told}");
    session.message();
    let seen: Vec<_> = upstream.messages().iter().map(|request| request.credentials()[0].1.clone()).collect();
    assert_eq!(seen, [old, new]);
}

#[test]
fn a_hidden_prompt_shows_no_key_and_gives_the_terminal_back() {
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    let mut shell = sandbox.command("/bin/sh");
    let login = format!(
        "{} login work --api-key --upstream {}",
        sandbox.command("claudectl").get_program().display(),
        upstream.url()
    );
    shell.args(["-c", &format!("{login}; echo code $?; stty -a; read -r line; echo back $line")]);
    let mut terminal = Terminal::start(&shell);
    terminal.wait_for("key");
    // Typed once the echo is off, as the prompt asks for it.
    terminal.wait_for_hidden_input();
    terminal.write(&format!("{key}\n"));
    let shown = terminal.wait_for("code 0");
    assert!(!shown.contains(&key[20..40]), "{shown}");
    let restored = terminal.wait_for("extproc");
    assert!(restored.contains(" echo ") && restored.contains(" icanon "), "{restored}");
    terminal.write("word\n");
    terminal.wait_for("back word");
    assert_eq!(terminal.wait(), 0);
    assert_eq!(sandbox.ctl(&["status", "--json"]).json()["logged_in"], true);
    sandbox.assert_clean(&[]);
}

#[test]
fn an_interrupted_prompt_gives_the_terminal_back() {
    let sandbox = Sandbox::new();
    let mut shell = sandbox.command("/bin/sh");
    let login =
        format!("{} login work --api-key --offline", sandbox.command("claudectl").get_program().display());
    shell.args(["-c", &format!("trap : INT; {login}; stty -a; read -r line")]);
    let mut terminal = Terminal::start(&shell);
    terminal.wait_for("key");
    terminal.wait_for_hidden_input();
    terminal.write("sk-ant-api03-\u{3}");
    let shown = terminal.wait_for("extproc");
    assert!(shown.contains(" echo ") && shown.contains(" icanon "), "{shown}");
    assert_eq!(sandbox.ctl(&["status", "--json"]).json()["logged_in"], false);
}

#[test]
fn an_upstream_in_trouble_does_not_accept_a_key() {
    let sandbox = Sandbox::new();
    let key = sandbox.key();
    let upstream = FakeUpstream::plain([key.as_str()]);
    for (reply, reason) in [
        (Reply::status(500, "api_error", "trouble"), "upstream-unreachable"),
        (Reply::redirect("http://127.0.0.1:1/v1/models"), "upstream-unreachable"),
        (Reply::raw(b"not http\r\n\r\n"), "upstream-unreachable"),
    ] {
        upstream.models(reply.clone());
        let login = ["login", "work", "--api-key", "--upstream", &upstream.url(), "--json"];
        let error = sandbox.ctl_with(&login, key.as_bytes()).exited(1).json();
        assert_eq!(error["reason"], reason, "{reply:?}: {error}");
    }
    assert_eq!(sandbox.ctl(&["status", "--json"]).json()["logged_in"], false);
    sandbox.assert_clean(&[]);
}

/// Whoever comes last wins; nobody fails, and the losers' keys are wiped.
#[test]
fn many_logins_of_one_name_at_once_leave_one_credential() {
    let sandbox = Sandbox::new();
    let keys: Vec<_> = (0..20).map(|_| sandbox.key()).collect();
    let upstream = FakeUpstream::plain(keys.iter().map(String::as_str));
    let daemon = sandbox.daemon();
    let clients: Vec<_> = keys
        .iter()
        .map(|key| {
            let mut command = sandbox.command("claudectl");
            command.args(["login", "work", "--api-key", "--upstream", &upstream.url()]);
            let mut client = sandbox.start(command);
            client.write(key.as_bytes());
            client.close_input();
            client
        })
        .collect();
    for client in clients {
        client.finish().exited(0);
    }
    let status = sandbox.ctl(&["status", "--json"]).exited(0).json();
    assert_eq!(json::count(&status["accounts"]), 1, "{status}");
    let mut session = Session::open(&sandbox, &[]);
    assert_eq!(session.message()["status"], 200);
    if require::root().is_ok() {
        let look = memory::look(daemon.pid(), &sandbox.search()).unwrap();
        assert!(look.hits.len() <= 1, "{:?}", look.hits);
    }
    sandbox.ctl(&["logout", "--all"]).exited(0);
    sandbox.assert_clean(&[session.pid()]);
}
