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
    "[ -z \"$X\" ] &&\n  export K=KEY\nexport A=1\n",
    "[ -n \"$X\" ] && # only then\n\n  export K=KEY\nexport A=1\n",
    "[ -z \"$X\" ] ||\n  export K=KEY\nexport A=1\n",
    "echo one |\n  export K=KEY\nexport A=1\n",
    "true &\nexport K=KEY\nwait\nexport A=1\n",
];

/// What only bash and zsh read.
const BASH_PROFILES: &[&str] = &[
    "function work {\n  export K=KEY\n}\nwork\nexport A=1\n",
    "function work { export K=KEY; }\nwork\nexport A=1\n",
    "function work {\n  if true; then\n    export K=KEY\n  fi\n}\nwork\nexport A=1\n",
    "function work() {\n  export K=KEY\n}\nwork\nexport A=1\n",
    "for ((i = 0; i < 2; i++)) {\n  export K=KEY\n}\nexport A=1\n",
    "coproc {\n  export K=KEY\n}\nwait\nexport A=1\n",
    "coproc work {\n  export K=KEY\n}\nwait\nexport A=1\n",
    "echo one |&\n  export K=KEY\nexport A=1\n",
    "list=(A=1 B=2)\nexport K=KEY\nexport A=\"${list[*]}\"\n",
    "list=(\n  A=1 # it's\n)\nif true; then\n  export K=KEY\nfi\nexport A=\"${list[*]}\"\n",
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
    let all = [("bash", PROFILES), ("dash", PROFILES), ("bash", BASH_PROFILES)];
    for (shell, profiles) in all {
        for profile in profiles {
            let text = profile.replace("KEY", KEY);
            let edit = remove(text.as_bytes(), Dialect::Shell, &span(&text)).unwrap();
            let edited = String::from_utf8(edit.apply(text.as_bytes()).unwrap().to_vec()).unwrap();
            assert!(!edited.contains(KEY));
            assert_eq!(exported(shell, &edited), exported(shell, &text), "{text}\n->\n{edited}");
        }
    }
}
