//! A person at the prompt: gnome-keyring's own, on a screen of the test's own, with keys that are really typed.

use claudectl_tests::{
    need,
    program::Program,
    require::{self, Missing},
};

use crate::rig::{Rig, asking, list, load};

/// A screen with the program on it that asks for the password.
struct Screen {
    number: String,
    _server: Program,
    _prompter: Program,
}

impl Screen {
    fn new(rig: &Rig) -> Result<Self, Missing> {
        require::program("xdotool")?;
        let prompter = std::path::Path::new("/usr/libexec/gcr-prompter");
        if !prompter.exists() {
            return Err("needs gcr-prompter: run tests/prepare as root".into());
        }
        let mut server = rig.sandbox.command(require::program("Xvfb")?);
        server.args(["-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp"]);
        let mut server = rig.sandbox.start(server);
        let number = format!(":{}", server.line());
        let mut prompter = rig.sandbox.command(prompter);
        prompter.env("DISPLAY", &number).env("NO_AT_BRIDGE", "1").env("GSETTINGS_BACKEND", "memory");
        let prompter = rig.sandbox.start(prompter);
        rig.bus.owner("org.gnome.keyring.SystemPrompter");
        Ok(Self { number, _server: server, _prompter: prompter })
    }

    /// Waits for the prompt, and types there.
    fn type_at_prompt(&self, rig: &Rig, words: &[&str]) {
        let prompt = ["search", "--sync", "--onlyvisible", "--name", "Unlock", "windowfocus", "--sync"];
        for arguments in [&prompt[..], words] {
            let mut xdotool = rig.sandbox.command("/usr/bin/xdotool");
            xdotool.args(arguments).env("DISPLAY", &self.number);
            rig.sandbox.start(xdotool).finish().exited(0);
        }
    }
}

#[test]
fn a_person_who_unlocks_it_is_waited_for_and_one_who_does_not_is_believed() {
    let rig = need!(Rig::unlocked());
    let screen = need!(Screen::new(&rig));
    let key = rig.sandbox.key();
    let mut probe = rig.probe(&[]);
    probe.store("work", &key);

    rig.bus.lock();
    probe.send(&asking(load("work")));
    screen.type_at_prompt(&rig, &["key", "Escape"]);
    let dismissed = probe.answer();
    eprintln!("| load, locked, asks, Escape | {} | {} ms |", dismissed["outcome"], dismissed["ms"]);
    assert_eq!((&dismissed["outcome"], &dismissed["asked"]), (&"PromptDismissed".into(), &true.into()));
    assert_eq!(probe.ask(&list())["outcome"], "done");

    probe.send(&asking(load("work")));
    screen.type_at_prompt(&rig, &["type", claudectl_tests::keyring::PASSWORD]);
    screen.type_at_prompt(&rig, &["key", "Return"]);
    let loaded = probe.answer();
    eprintln!("| load, locked, asks, password typed | {} | {} ms |", loaded["outcome"], loaded["ms"]);
    assert_eq!((&loaded["outcome"], &loaded["asked"]), (&"done".into(), &true.into()));
    probe.assert_kept("work", &key);
}
