//! What real shells make of an edited profile: the same as before, without the variable.

use std::process::Command;

use claudectl_footprint::edit::profile::{Dialect, remove};

use super::{KEY, span};

const PROFILES: &[&str] = &[
    "A=1\nexport A\nexport K=KEY\nexport B=2\n",
    "export A=1 K=KEY B='x y'\n",
    "export A=1; export K='KEY'; export B=2\n",
    "if true; then\n  export K=KEY\nfi\nexport A=1\n",
    "f() {\n  export K=KEY\n}\nf\nexport A=\"$(echo one)\"\n",
    "case a in\n  a) export K=KEY ;;\n  *) export A=0 ;;\nesac\nexport B=2\n",
    "export A=1 \\\n  K=\"KEY\" \\\n  B=2\n",
    "cat <<EOF >/dev/null; export K=KEY\nit's \"odd\nEOF\nexport B=2\n",
    "false || export K=KEY\nexport A=1\n",
    "export K=KEY && export A=1\n",
    "{ export K=KEY; }\nexport A=1\n",
    "( export K=KEY )\nexport A=1\n",
    "export A='it'\\''s' # it's\nexport K=KEY # it's mine\nexport B=\"a # b\"\n",
    "while :; do export K=KEY; break; done\nexport A=1\n",
];

/// What a shell exports after it has read the profile; without its own and the one that is removed.
fn exported(shell: &str, profile: &str) -> String {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("profile");
    std::fs::write(&path, profile).unwrap();
    let output = Command::new(shell)
        .args(["-c", ". \"$0\" && env"])
        .arg(&path)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .output()
        .unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{shell}: {profile}\n{output:?}");
    let mut lines: Vec<_> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter(|line| !["K=", "_=", "PWD=", "SHLVL=", "OLDPWD="].iter().any(|own| line.starts_with(own)))
        .map(str::to_owned)
        .collect();
    lines.sort();
    lines.join("\n")
}

#[test]
fn an_edited_profile_does_the_rest_as_before() {
    for shell in ["bash", "dash"] {
        for profile in PROFILES {
            let text = profile.replace("KEY", KEY);
            let edit = remove(text.as_bytes(), Dialect::Shell, &span(&text)).unwrap();
            let edited = String::from_utf8(edit.apply(text.as_bytes()).unwrap().to_vec()).unwrap();
            assert!(!edited.contains(KEY));
            assert_eq!(exported(shell, &edited), exported(shell, &text), "{text}\n->\n{edited}");
        }
    }
}
