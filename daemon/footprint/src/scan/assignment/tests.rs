use proptest::prelude::*;

use super::*;

/// Values, and the text of each statement that stands alone.
fn read(text: &str, dialect: Dialect) -> Vec<(String, Option<&str>)> {
    assignments(text.as_bytes(), dialect, |name| name == b"ANTHROPIC_API_KEY")
        .map(|found| {
            let value = String::from_utf8_lossy(&found.word.value).into_owned();
            (value, found.statement.map(|statement| &text[statement]))
        })
        .collect()
}

#[test]
fn one_that_stands_alone() {
    let table = [
        (Dialect::Posix, "export ANTHROPIC_API_KEY=abc\n"),
        (Dialect::Posix, "  ANTHROPIC_API_KEY='abc'  # mine\r\n"),
        (Dialect::Posix, "declare -gx ANTHROPIC_API_KEY=\"abc\";\n"),
        (Dialect::Posix, "export \"ANTHROPIC_API_KEY=abc\"\n"),
        (Dialect::Posix, "export ANTHROPIC_API_KEY=a\\\nbc\n"),
        (Dialect::Posix, "setenv ANTHROPIC_API_KEY abc\n"),
        (Dialect::Posix, "ENV ANTHROPIC_API_KEY=abc\n"),
        (Dialect::Posix, "ENV ANTHROPIC_API_KEY abc\n"),
        (Dialect::Fish, "set -gx ANTHROPIC_API_KEY 'abc'\n"),
        (Dialect::Fish, "set --export --universal ANTHROPIC_API_KEY abc"),
        (Dialect::Nu, "$env.ANTHROPIC_API_KEY = \"abc\"\n"),
        (Dialect::Nu, "  ANTHROPIC_API_KEY: \"abc\"\n"),
        (Dialect::PowerShell, "$env:ANTHROPIC_API_KEY = 'abc'\r\n"),
        (Dialect::PowerShell, "$Env:ANTHROPIC_API_KEY=\"abc\""),
        (
            Dialect::PowerShell,
            "[Environment]::SetEnvironmentVariable(\"ANTHROPIC_API_KEY\", \"abc\", \"User\")\n",
        ),
        (Dialect::PowerShell, "Set-Item -Path Env:ANTHROPIC_API_KEY -Value 'abc'\n"),
        (Dialect::PowerShell, "setx ANTHROPIC_API_KEY \"abc\"\n"),
        (Dialect::Dotenv, "ANTHROPIC_API_KEY= abc # mine\n"),
        (Dialect::Unit, "Environment=\"ANTHROPIC_API_KEY=abc\"\n"),
        (Dialect::Unit, "Environment=ANTHROPIC_API_KEY=abc\n"),
        (Dialect::Dotenv, "ANTHROPIC_API_KEY DEFAULT=abc\n"),
        (Dialect::Yaml, "      ANTHROPIC_API_KEY: abc\n"),
        (Dialect::Yaml, "      - ANTHROPIC_API_KEY=abc\n"),
        (Dialect::Yaml, "      - \"ANTHROPIC_API_KEY=abc\"\n"),
        (Dialect::Yaml, "      \"ANTHROPIC_API_KEY\": 'abc',\n"),
        (Dialect::Toml, "ANTHROPIC_API_KEY = \"abc\"\n"),
        (Dialect::Toml, "ANTHROPIC_API_KEY=abc\n"),
        (Dialect::Toml, "$ANTHROPIC_API_KEY = 'abc'\n"),
        (Dialect::FishUniversal, "SETUVAR --export ANTHROPIC_API_KEY:a\\x62c\n"),
    ];
    for (dialect, text) in table {
        let whole = format!("before\n{text}");
        assert_eq!(read(&whole, dialect), [("abc".to_owned(), Some(text))], "{text}");
    }
}

#[test]
fn one_among_others() {
    let table = [
        (Dialect::Posix, "export A=1 ANTHROPIC_API_KEY=abc B=2\n"),
        (Dialect::Posix, "ANTHROPIC_API_KEY=abc claude -p hi\n"),
        (Dialect::Posix, "alias c='ANTHROPIC_API_KEY=abc claude'\n"),
        (Dialect::Posix, "docker run -e ANTHROPIC_API_KEY=abc image\n"),
        (Dialect::Posix, "docker run --env=\"ANTHROPIC_API_KEY=abc\" image\n"),
        (Dialect::Posix, "export ANTHROPIC_API_KEY=\"${ANTHROPIC_API_KEY:-abc}\"\n"),
        (Dialect::Posix, ": 1700000000:0;export ANTHROPIC_API_KEY=abc\n"),
        (Dialect::Posix, "systemctl --user set-environment ANTHROPIC_API_KEY=abc\n"),
        (Dialect::Unit, "Environment=ANTHROPIC_API_KEY=abc OTHER=1\n"),
        (Dialect::Unit, "Environment='OTHER=1' \"ANTHROPIC_API_KEY=abc\"\n"),
        (Dialect::Unit, "ExecStart=/usr/bin/env ANTHROPIC_API_KEY=abc /usr/bin/bot --serve\n"),
        (Dialect::Fish, "- cmd: set -gx ANTHROPIC_API_KEY abc\n"),
        (Dialect::Fish, "env ANTHROPIC_API_KEY=abc claude\n"),
        (Dialect::Nu, "with-env {ANTHROPIC_API_KEY: abc} { claude }\n"),
        (Dialect::Yaml, "  run: ANTHROPIC_API_KEY=abc\n"),
        (Dialect::Yaml, "env: {ANTHROPIC_API_KEY: abc, B: c}\n"),
        (Dialect::Toml, "os.environ[\"ANTHROPIC_API_KEY\"] = \"abc\"\n"),
        (Dialect::Toml, "env = { ANTHROPIC_API_KEY = \"abc\" }\n"),
    ];
    for (dialect, text) in table {
        let found = read(text, dialect);
        let last = found.last().expect(text);
        assert_eq!((last.0.as_str(), last.1), ("abc", None), "{text}");
    }
}

#[test]
fn what_only_mentions_it() {
    let table = [
        (Dialect::Posix, "# export ANTHROPIC_API_KEY=abc\n"),
        (Dialect::Posix, "echo $ANTHROPIC_API_KEY\n"),
        (Dialect::Posix, "unset ANTHROPIC_API_KEY\n"),
        (Dialect::Posix, "[ \"$ANTHROPIC_API_KEY\" == abc ]\n"),
        (Dialect::Posix, "MY_ANTHROPIC_API_KEY=abc\nANTHROPIC_API_KEY_FILE=abc\n"),
        (Dialect::Posix, "read -s ANTHROPIC_API_KEY\nexport ANTHROPIC_API_KEY\n"),
        (Dialect::Fish, "set -e ANTHROPIC_API_KEY x\nset -q ANTHROPIC_API_KEY x\n"),
        (Dialect::Nu, "hide-env ANTHROPIC_API_KEY\n"),
        (
            Dialect::PowerShell,
            "Remove-Item Env:ANTHROPIC_API_KEY\nif ($env:ANTHROPIC_API_KEY -eq 'abc') {}\n",
        ),
        (Dialect::Toml, "os.environ.get(\"ANTHROPIC_API_KEY\")\nif ANTHROPIC_API_KEY == \"abc\"\n"),
        (Dialect::Toml, "passenv = ANTHROPIC_API_KEY abc\n"),
    ];
    for (dialect, text) in table {
        assert_eq!(read(text, dialect), [], "{text}");
    }
}

#[test]
fn here_documents_are_read_like_files() {
    let text = "cat > .env <<EOF\nANTHROPIC_API_KEY=abc\nEOF\n";
    assert_eq!(read(text, Dialect::Posix), [("abc".to_owned(), Some("ANTHROPIC_API_KEY=abc\n"))]);
}

proptest! {
    #[test]
    fn no_bytes_break_it(pieces in proptest::collection::vec(prop_oneof![
        Just("ANTHROPIC_API_KEY"), Just("="), Just(" "), Just("\n"), Just("\""), Just("'"), Just("set "), Just(": "), Just("${"), Just(":-"), Just("\\"), Just("#"), Just("é")
    ], 0..24)) {
        let text = pieces.concat();
        for dialect in [Dialect::Posix, Dialect::Fish, Dialect::Nu, Dialect::PowerShell, Dialect::Dotenv, Dialect::Unit, Dialect::Yaml, Dialect::Toml] {
            let mut end = 0;
            for found in assignments(text.as_bytes(), dialect, |name| name == b"ANTHROPIC_API_KEY") {
                prop_assert!(found.name.start >= end && found.word.whole.end <= text.len());
                end = if found.word.dynamic { found.name.end } else { found.word.whole.end };
            }
        }
    }

    #[test]
    fn lines_before_and_after_change_nothing(before in "[a-z =\"'\n]{0,40}", value in "[A-Za-z0-9]{8,30}") {
        let text = format!("{before}\nexport ANTHROPIC_API_KEY={value}\nmore\n");
        let found = read(&text, Dialect::Posix);
        let statement = format!("export ANTHROPIC_API_KEY={value}\n");
        prop_assert_eq!(found, [(value, Some(statement.as_str()))]);
    }
}
