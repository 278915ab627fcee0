use std::path::Path;

use claudectl_footprint::edit::{
    Refusal,
    profile::{Dialect, remove},
};
use proptest::prelude::*;

use super::{KEY, span};

fn without(dialect: Dialect, text: &str) -> Result<String, Refusal> {
    let text = text.replace("KEY", KEY);
    let edited = remove(text.as_bytes(), dialect, &span(&text))?.apply(text.as_bytes()).unwrap();
    Ok(String::from_utf8(edited.to_vec()).unwrap())
}

#[track_caller]
fn all(dialect: Dialect, table: &[(&str, &str)]) {
    for (text, expected) in table {
        assert_eq!(without(dialect, text).as_deref(), Ok(*expected), "{text}");
    }
}

#[test]
fn a_line_of_its_own_goes_whole() {
    all(
        Dialect::Shell,
        &[
            ("a\nexport K=KEY\nb\n", "a\nb\n"),
            ("export K=KEY", ""),
            ("a\r\n  export K='KEY'  \r\nb\r\n", "a\r\nb\r\n"),
            ("K=\"KEY\"\nexport K\n", "export K\n"),
            ("export K=KEY;\nb\n", "b\n"),
            ("\u{feff}export K=KEY\nb\n", "\u{feff}b\n"),
            ("export \\\n  K=KEY\nb\n", "b\n"),
            ("export K=KEY # mine\nb\n", "# mine\nb\n"),
            ("typeset -gx K=$'KEY'\n", ""),
            ("setenv K KEY\n", ""),
            ("echo \"it's\" 'a \"b' # it's\nexport K=KEY\n", "echo \"it's\" 'a \"b' # it's\n"),
        ],
    );
}

#[test]
fn what_shares_the_line_stays() {
    all(
        Dialect::Shell,
        &[
            ("export A=1 K=KEY B=2\n", "export A=1 B=2\n"),
            ("export A=1 K=KEY\n", "export A=1\n"),
            ("export A=1 \\\n  K=KEY \\\n  B=2\n", "export A=1 \\\n  B=2\n"),
            ("export A=1; export K=KEY; export B=2\n", "export A=1; export B=2\n"),
            ("export A=1; export K=KEY\n", "export A=1\n"),
            ("export K=KEY; export A=1\n", "export A=1\n"),
            ("K=KEY claude -p hi\n", "claude -p hi\n"),
            ("A=1 K=KEY claude\n", "A=1 claude\n"),
            ("A=1 K=KEY\n", "A=1\n"),
            ("env K=KEY claude\n", "env claude\n"),
            ("[ -t 0 ] && export K=KEY\n", "[ -t 0 ] && :\n"),
            ("export K=KEY || exit\n", ": || exit\n"),
        ],
    );
}

#[test]
fn a_block_does_not_become_empty() {
    all(
        Dialect::Shell,
        &[
            ("if true; then\n  export K=KEY\nfi\n", "if true; then\n  :\nfi\n"),
            ("if true; then export K=KEY; fi\n", "if true; then :; fi\n"),
            ("f() {\n  export K=KEY\n}\n", "f() {\n  :\n}\n"),
            ("case $x in\n  a) export K=KEY ;;\nesac\n", "case $x in\n  a) : ;;\nesac\n"),
            ("for i in 1; do export K=KEY; done\nb\n", "for i in 1; do :; done\nb\n"),
            ("(export K=KEY)\n", "(:)\n"),
            ("if a; then b; fi\nexport K=KEY\n", "if a; then b; fi\n"),
            ("f() { b; }\nexport K=KEY\n", "f() { b; }\n"),
            ("function f {\n  export K=KEY\n}\nb\n", "function f {\n  :\n}\nb\n"),
            ("function f { b; }\nexport K=KEY\n", "function f { b; }\n"),
            ("repeat 3 {\n  export K=KEY\n}\n", "repeat 3 {\n  :\n}\n"),
        ],
    );
}

#[test]
fn a_condition_keeps_what_it_decides_about() {
    all(
        Dialect::Shell,
        &[
            ("[ -n \"$X\" ] &&\n  export K=KEY\nb\n", "[ -n \"$X\" ] &&\n  :\nb\n"),
            ("a || # or\n\nexport K=KEY\nb\n", "a || # or\n\n:\nb\n"),
            ("a |\r\nexport K=KEY\r\nb\r\n", "a |\r\n:\r\nb\r\n"),
            ("a &\nexport K=KEY\nb\n", "a &\nb\n"),
            ("(a)\nexport K=KEY\nb\n", "(a)\nb\n"),
        ],
    );
    all(Dialect::Fish, &[("a &&\n  set -gx K KEY\nb\n", "a &&\n  true\nb\n")]);
    all(Dialect::PowerShell, &[("a |\n  $env:K = 'KEY'\nb\n", "a |\n  $null\nb\n")]);
}

#[test]
fn what_is_no_assignment_is_refused_by_name() {
    let table = [
        ("cat <<EOF\nexport K=KEY\nEOF\n", Refusal::HereDocument),
        ("cat <<-'END'\n\tK=KEY\n\tEND\nb\n", Refusal::HereDocument),
        ("# export K=KEY\n", Refusal::Comment),
        ("b # KEY\n", Refusal::Comment),
        ("alias c='K=KEY claude'\n", Refusal::NotAnAssignment),
        ("echo KEY\n", Refusal::NotAnAssignment),
        ("claude --api-key KEY\n", Refusal::NotAnAssignment),
        ("x=$(echo 'a\nK=KEY\nb')\n", Refusal::NotAnAssignment),
        ("env=(K=KEY)\n", Refusal::NotAnAssignment),
        ("env=(A=1 K=KEY B=2)\nb\n", Refusal::NotAnAssignment),
        ("declare -a env=(\n  K=KEY\n)\n", Refusal::NotAnAssignment),
        ("K+=(KEY)\n", Refusal::NotAnAssignment),
        ("a\nexport K=\"KEY\n", Refusal::Unclosed(2)),
        ("A=\"$(cat <<EOF\nit's\nEOF\n)\"\nexport K=KEY\n", Refusal::Unclosed(2)),
    ];
    for (text, expected) in table {
        assert_eq!(without(Dialect::Shell, text), Err(expected), "{text}");
    }
    let after = "cat <<EOF; b\nit's\nEOF\nexport K=KEY\n";
    assert_eq!(without(Dialect::Shell, after).as_deref(), Ok("cat <<EOF; b\nit's\nEOF\n"));
}

#[test]
fn other_shells() {
    all(
        Dialect::Fish,
        &[
            ("set -gx K KEY\nset -gx A 1\n", "set -gx A 1\n"),
            ("if status is-login\n    set -Ux K \"KEY\"\nend\n", "if status is-login\nend\n"),
            ("set -gx A 1; set -gx K KEY\n", "set -gx A 1\n"),
            ("K=KEY claude\n", "claude\n"),
            ("test -n x && set -gx K KEY\n", "test -n x && true\n"),
        ],
    );
    all(
        Dialect::Nushell,
        &[
            ("$env.K = \"KEY\"\n$env.A = 1\n", "$env.A = 1\n"),
            ("$env.A = 1; $env.K = 'KEY'\n", "$env.A = 1\n"),
            ("export-env { $env.K = \"KEY\" }\n", "export-env { null }\n"),
        ],
    );
    all(
        Dialect::PowerShell,
        &[
            ("$env:K = \"KEY\"\r\n$env:A = 1\r\n", "$env:A = 1\r\n"),
            ("$Env:K='KEY'; $env:A = 1\n", "$env:A = 1\n"),
            ("[Environment]::SetEnvironmentVariable(\"K\", \"KEY\", \"User\")\n", ""),
            ("if ($x) { $env:K = \"KEY\" }\n", "if ($x) { $null }\n"),
            ("<# it's #>\n$env:K = \"KEY\"\n", "<# it's #>\n"),
        ],
    );
    assert_eq!(without(Dialect::Nushell, "load-env { K: \"KEY\" }\n"), Err(Refusal::NotAnAssignment));
    assert_eq!(without(Dialect::PowerShell, "$x = @\"\nKEY\n\"@\n"), Err(Refusal::NotAnAssignment));
}

#[test]
fn files_of_lines() {
    all(
        Dialect::Lines,
        &[
            ("A=1\nK=KEY\nB=2\n", "A=1\nB=2\n"),
            ("export K=\"KEY\"\r\nA=1\r\n", "A=1\r\n"),
            ("K=\"KEY\nmore\"\nA=1\n", "A=1\n"),
            ("K=a\\\nKEY\nA=1\n", "A=1\n"),
            ("K DEFAULT=KEY\nA DEFAULT=1\n", "A DEFAULT=1\n"),
            ("\u{feff}K=KEY", "\u{feff}"),
            ("K=KEY # mine\nA=1\n", "# mine\nA=1\n"),
            ("K=\"KEY # not\" # mine\nA=1\n", "# mine\nA=1\n"),
            (
                "P=\"-----BEGIN\nMIIEow==\n-----END\" # pem\nK=KEY\n",
                "P=\"-----BEGIN\nMIIEow==\n-----END\" # pem\n",
            ),
        ],
    );
    assert_eq!(without(Dialect::Lines, "# K=KEY\n"), Err(Refusal::Comment));
    // Found by fuzzing: what begins in the mark is in no line.
    for dialect in [Dialect::Lines, Dialect::Unit] {
        let refused = remove("\u{feff}[Service]\nEnvironment=K=KEY\n".as_bytes(), dialect, &(0..20));
        assert_eq!(refused, Err(Refusal::NotAnAssignment));
        assert_eq!(remove("\u{feff}K=KEY\n".as_bytes(), dialect, &(1..6)), Err(Refusal::NotAnAssignment));
    }
    assert_eq!(without(Dialect::Lines, "K=a # KEY\n"), Err(Refusal::Comment));
    assert_eq!(without(Dialect::Lines, "KEY\n"), Err(Refusal::NotAnAssignment));
    assert_eq!(without(Dialect::Lines, "A=\"open\nK=KEY\n"), Err(Refusal::Unclosed(1)));
}

#[test]
fn a_forgotten_quote_takes_no_neighbour_along() {
    for (text, line) in [
        ("A=\"open\nK=KEY\nB=\"x\"\nC=1\n", 1),
        ("C=1\nK=\"KEY\nDATABASE_URL=\"postgres://x\"\n", 2),
        ("K='KEY\nB=''\n", 1),
        ("K=\"KEY\nB=1\nC=\"\n", 1),
        ("K=\"KEY\nexport B=1\"\n", 1),
        ("K=\"KEY\nis it's \" here\n", 1),
        ("K=KEY\\\nB=1\n", 1),
    ] {
        assert_eq!(without(Dialect::Lines, text), Err(Refusal::Unclosed(line)), "{text}");
    }
}

#[test]
fn units_lose_the_assignment_and_keep_the_setting() {
    all(
        Dialect::Unit,
        &[
            ("[Service]\nEnvironment=K=KEY\nExecStart=/bin/a\n", "[Service]\nExecStart=/bin/a\n"),
            ("Environment=K=KEY A=1\n", "Environment=A=1\n"),
            ("Environment=A=1 K=KEY\n", "Environment=A=1\n"),
            ("Environment=\"A=1 2\" \"K=KEY\" 'B=3'\r\n", "Environment=\"A=1 2\" 'B=3'\r\n"),
            ("Environment=A=\"it's\" \\\n  K=\"KEY\" \\\n  B=2\n", "Environment=A=\"it's\" \\\n  B=2\n"),
            ("Environment=A=1 \\\n  K=KEY\n[Install]\n", "Environment=A=1\n[Install]\n"),
            ("Environment = \\\n  K=KEY\nUser=me\n", "User=me\n"),
            ("[Manager]\nDefaultEnvironment=\"K=KEY\"", "[Manager]\n"),
        ],
    );
    let table = [
        ("ExecStart=/usr/bin/env K=KEY /usr/bin/bot --serve\n", Refusal::NotAnAssignment),
        ("ExecStart=/bin/sh -c 'Environment=K=KEY bot'\n", Refusal::NotAnAssignment),
        ("Environment=A=1 KEY\n", Refusal::NotAnAssignment),
        ("Environment=\"OPTIONS=-e K=KEY -v\"\n", Refusal::NotAnAssignment),
        ("# Environment=K=KEY\n", Refusal::Comment),
        ("Environment=A=1 \\\n; why\n  K=KEY\n", Refusal::Comment),
        ("Environment=\"K=KEY\n[Install]\n", Refusal::Unclosed(1)),
    ];
    for (text, expected) in table {
        assert_eq!(without(Dialect::Unit, text), Err(expected), "{text}");
    }
}

#[test]
fn the_dialect_is_told_from_the_name() {
    let table = [
        ("/h/.bashrc", Dialect::Shell),
        ("/h/.config/fish/config.fish", Dialect::Fish),
        ("/h/p/.envrc", Dialect::Shell),
        ("/h/p/.env", Dialect::Lines),
        ("/h/p/.env.local", Dialect::Lines),
        ("/h/.config/environment.d/90.conf", Dialect::Lines),
        ("/h/.config/nushell/env.nu", Dialect::Nushell),
        ("/h/Documents/PowerShell/profile.ps1", Dialect::PowerShell),
        ("/h/.pam_environment", Dialect::Lines),
        ("/h/.config/systemd/user/bot.service", Dialect::Unit),
        ("/h/.config/systemd/user/bot.service.d/key.conf", Dialect::Unit),
        ("/h/.config/containers/systemd/bot.container", Dialect::Unit),
        ("/h/.config/containers/containers.conf", Dialect::Other),
        ("/h/.secrets/keys.py", Dialect::Other),
        ("/h/p/compose.yml", Dialect::Other),
    ];
    for (path, expected) in table {
        assert_eq!(Dialect::of(Path::new(path)), expected, "{path}");
    }
}

const DIALECTS: [Dialect; 6] =
    [Dialect::Shell, Dialect::Fish, Dialect::Nushell, Dialect::PowerShell, Dialect::Lines, Dialect::Unit];

proptest! {
    /// Whatever stands around it: either the credential is gone and only whole pieces with it, or a refusal.
    #[test]
    fn no_text_is_too_strange(
        before in "[a-z=;&|(){}'\"\\\\#<>$`@ \n\r\t-]{0,40}",
        after in "[a-z=;&|(){}'\"\\\\#<>$`@ \n\r\t-]{0,40}",
        dialect in prop::sample::select(DIALECTS.to_vec()),
    ) {
        let text = format!("{before}{KEY}{after}");
        let at = before.len()..before.len() + KEY.len();
        if let Ok(edit) = remove(text.as_bytes(), dialect, &at) {
            let edited = edit.apply(text.as_bytes()).unwrap();
            prop_assert_eq!(edit.changes().len(), 1);
            prop_assert!(edit.covers(&at));
            prop_assert!(!String::from_utf8_lossy(&edited).contains(KEY));
        }
    }

    /// In a profile of ordinary lines exactly one line goes.
    #[test]
    fn only_its_own_line(
        before in prop::collection::vec(line(), 0..8),
        after in prop::collection::vec(line(), 0..8),
        end in prop::sample::select(vec!["\n", "\r\n"]),
    ) {
        let join = |lines: &[String]| lines.iter().flat_map(|line| [line.as_str(), end]).collect::<String>();
        let text = format!("{}export K=\"{KEY}\"{end}{}", join(&before), join(&after));
        let edited = remove(text.as_bytes(), Dialect::Shell, &span(&text)).unwrap().apply(text.as_bytes()).unwrap();
        prop_assert_eq!(String::from_utf8_lossy(&edited).into_owned(), join(&before) + &join(&after));
    }
}

fn line() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "export A=1",
        "# it's a comment",
        "",
        "alias ll='ls -l'",
        "PS1=\"\\u@\\h \\$(git branch 2>/dev/null) $ \"",
        "[ -f ~/.x ] && . ~/.x",
        "if [ -n \"$A\" ]; then echo \"it's\"; fi",
        "f() { echo $((1 + 2)) \"${A#b}\"; }",
        "case $- in *i*) ;; *) return ;; esac",
        "export PATH=\"$HOME/bin:$PATH\" # more",
        "for i in a b; do echo $i; done",
        "x=`uname`; y=$(uname -a) 2>&1",
    ])
    .prop_map(str::to_owned)
}
