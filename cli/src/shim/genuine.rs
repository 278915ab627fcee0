//! Finding the genuine client: never this shim, and rather the native file than its npm wrapper.

use std::{
    env::consts,
    ffi::OsStr,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use crate::{error::Error, exit::Exit, process::search, shim::NAMED};

/// What every program of this project holds, and nothing else: a copy of the shim is known by it.
const MARK: &[u8] = b"claudectl shim, not the genuine client: 5d0cb1b7-3f0e-4a1e-8c53";

/// The largest file that can be a copy of the shim, in bytes: an unoptimised one has 35 MB. The genuine
/// native client is larger.
const LARGEST_SHIM: u64 = 128 * 1024 * 1024;

/// How a client runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A native executable: it can talk to a Unix socket.
    Native,
    /// A JavaScript build: it only talks TCP.
    JavaScript,
    /// A script of which only running it tells where it leads.
    Script,
}

/// The genuine client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genuine {
    /// What is to be executed.
    pub path: PathBuf,
    /// How it runs.
    pub form: Form,
}

/// Where it is searched.
#[derive(Debug)]
pub struct Search<'a> {
    /// This program, links resolved.
    pub own: &'a Path,
    /// The directories of `PATH`.
    pub directories: &'a [PathBuf],
    /// The one that the user named.
    pub named: Option<PathBuf>,
    /// Whether a script can be the genuine client: not if scripts only lead back here.
    pub take_scripts: bool,
}

impl Search<'_> {
    /// Finds it.
    ///
    /// # Errors
    /// If there is none, or the one that was named is none.
    pub fn run(&self) -> Result<Genuine, Error> {
        if let Some(named) = &self.named {
            return self.look_at(named).ok_or_else(|| {
                Error::new(format!("{NAMED} names {}, which is not the genuine client", named.display()))
                    .exiting(Exit::NotRun(127))
            });
        }
        let mut candidates = search::all(OsStr::new("claude"), self.directories);
        candidates.find_map(|candidate| self.look_at(&candidate)).ok_or_else(|| {
            Error::new("the genuine Claude Code was not found on PATH").exiting(Exit::NotRun(127)).hint(format!(
                "install it, for example: npm install -g @anthropic-ai/claude-code; or name it with {NAMED}"
            ))
        })
    }

    /// Whether this program is what it finds, by whatever name, or a shim, which turns into that.
    pub fn finds(&self, path: &Path) -> bool {
        let real = |genuine: Genuine| genuine.path.canonicalize().ok();
        let same = || {
            let found = self.run().ok().and_then(real);
            found.is_some() && found == self.look_at(path).and_then(real)
        };
        is_shim(path) || same()
    }

    fn look_at(&self, candidate: &Path) -> Option<Genuine> {
        let real = candidate.canonicalize().ok()?;
        if real == self.own || is_shim(&real) {
            return None;
        }
        if let Some(path) = package(&real).and_then(native_of) {
            return Some(Genuine { path, form: Form::Native });
        }
        let form = form(&real)?;
        let leads_back = form == Form::Script && !self.take_scripts;
        (!leads_back).then(|| Genuine { path: candidate.to_owned(), form })
    }
}

/// Whether the file is a shim of this project, this one or another copy.
pub fn is_shim(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    if !file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() <= LARGEST_SHIM) {
        return false;
    }
    let mut content = Vec::new();
    file.take(LARGEST_SHIM).read_to_end(&mut content).is_ok()
        && is_executable(&content)
        && memchr::memmem::find(&content, MARK).is_some()
}

/// The npm package `@anthropic-ai/claude-code` that a file belongs to.
fn package(file: &Path) -> Option<&Path> {
    file.ancestors().find(|directory| {
        directory.ends_with("@anthropic-ai/claude-code") && directory.join("package.json").is_file()
    })
}

/// The native executable of an npm package: a package of its own, beside it or nested in it, or the
/// copy that its installation script makes.
fn native_of(package: &Path) -> Option<PathBuf> {
    let scopes = [package.join("node_modules/@anthropic-ai"), package.parent()?.to_owned()];
    let platforms = platforms();
    let packages = scopes.iter().flat_map(|scope| platforms.iter().map(move |name| scope.join(name)));
    let files = packages.flat_map(|package| [package.join("claude"), package.join("claude.exe")]);
    files.chain([package.join("bin/claude.exe")]).find(|path| form(path) == Some(Form::Native))
}

/// Names of the packages with the native executable for this machine.
fn platforms() -> Vec<String> {
    let system = match consts::OS {
        "macos" => "darwin",
        "windows" => "win32",
        other => other,
    };
    let processor = match consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    ["", "-musl"].map(|libc| format!("claude-code-{system}-{processor}{libc}")).into()
}

/// How a file runs, by its first bytes; `None` if it is nothing that runs.
pub fn form(path: &Path) -> Option<Form> {
    let mut head = Vec::new();
    File::open(path).ok()?.take(256).read_to_end(&mut head).ok()?;
    let first_line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if is_executable(&head) {
        Some(Form::Native)
    } else if first_line.starts_with(b"#!") {
        let is_node = memchr::memmem::find(first_line, b"node").is_some();
        Some(if is_node { Form::JavaScript } else { Form::Script })
    } else {
        None
    }
}

/// ELF, Mach-O (thin and fat) and PE.
fn is_executable(head: &[u8]) -> bool {
    const MAGIC: [&[u8]; 5] =
        [b"\x7fELF", &[0xcf, 0xfa, 0xed, 0xfe], &[0xca, 0xfe, 0xba, 0xbe], &[0xce, 0xfa, 0xed, 0xfe], b"MZ"];
    MAGIC.iter().any(|magic| head.starts_with(magic))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const NATIVE: &[u8] = b"\x7fELF genuine";

    struct Tree(tempfile::TempDir);

    impl Tree {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().canonicalize().unwrap().join(name)
        }

        fn file(&self, name: &str, content: &[u8]) -> PathBuf {
            let path = self.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            path
        }

        fn link(&self, name: &str, target: &Path) -> PathBuf {
            let path = self.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::os::unix::fs::symlink(target, &path).unwrap();
            path
        }

        fn search(&self, directories: &[&str], take_scripts: bool) -> Option<Genuine> {
            let directories: Vec<_> = directories.iter().map(|name| self.path(name)).collect();
            let own = self.path("own/claude");
            Search { own: &own, directories: &directories, named: None, take_scripts }.run().ok()
        }

        /// A package as npm lays it out, with its wrapper linked from a `bin` directory.
        fn npm(&self, native: Option<&str>) {
            let package = "lib/node_modules/@anthropic-ai/claude-code";
            self.file(&format!("{package}/package.json"), b"{}");
            let wrapper = self.file(&format!("{package}/cli.js"), b"#!/usr/bin/env node\n");
            self.link("bin/claude", &wrapper);
            if let Some(directory) = native {
                self.file(&format!("{directory}/{}/claude", platforms().remove(0)), NATIVE);
            }
        }
    }

    fn shim() -> Vec<u8> {
        [b"\x7fELF ".as_slice(), MARK].concat()
    }

    #[test]
    fn skips_itself_by_any_name_and_every_copy() {
        let tree = Tree::new();
        let own = tree.file("own/claude", b"\x7fELF self");
        tree.link("linked/claude", &own);
        tree.file("copied/claude", &shim());
        let genuine = tree.file("real/claude", NATIVE);
        let found = tree.search(&["own", "linked", "copied", "real"], true).unwrap();
        assert_eq!(found, Genuine { path: genuine, form: Form::Native });
        assert_eq!(tree.search(&["own", "linked", "copied"], true), None);
    }

    #[test]
    fn prefers_the_native_file_of_an_npm_package() {
        for scope in [
            "lib/node_modules/@anthropic-ai",
            "lib/node_modules/@anthropic-ai/claude-code/node_modules/@anthropic-ai",
        ] {
            let tree = Tree::new();
            tree.npm(Some(scope));
            let found = tree.search(&["bin"], true).unwrap();
            assert_eq!(found.form, Form::Native);
            assert!(found.path.starts_with(tree.path(scope)), "{found:?}");
        }
    }

    #[test]
    fn takes_the_copy_that_the_installation_made_but_not_its_placeholder() {
        let tree = Tree::new();
        tree.npm(None);
        let copy = "lib/node_modules/@anthropic-ai/claude-code/bin/claude.exe";
        tree.file(copy, b"echo placeholder");
        assert_eq!(tree.search(&["bin"], true).unwrap().form, Form::JavaScript);
        let path = tree.file(copy, NATIVE);
        assert_eq!(tree.search(&["bin"], true).unwrap(), Genuine { path, form: Form::Native });
    }

    #[test]
    fn every_name_of_the_genuine_one_is_it_and_no_other_program() {
        let tree = Tree::new();
        tree.npm(Some("lib/node_modules/@anthropic-ai"));
        // What installing it made of it, and what `PATH` leads to.
        let copy = tree.file("lib/node_modules/@anthropic-ai/claude-code/bin/claude.exe", NATIVE);
        let linked = tree.link("linked/claude", &copy);
        let (shim, other) = (tree.file("shim/claude", &shim()), tree.file("other/claude", NATIVE));
        let own = tree.path("own/claude");
        let directories = [tree.path("linked"), tree.path("other")];
        let search = Search { own: &own, directories: &directories, named: None, take_scripts: true };
        for path in [&linked, &copy, &search.run().unwrap().path, &tree.path("bin/claude"), &shim] {
            assert!(search.finds(path), "{}", path.display());
        }
        for path in [other, tree.file("python", NATIVE), tree.path("missing")] {
            assert!(!search.finds(&path), "{}", path.display());
        }
    }

    #[test]
    fn an_older_package_is_javascript() {
        let tree = Tree::new();
        tree.npm(None);
        let path = tree.path("bin/claude");
        assert_eq!(tree.search(&["bin"], true).unwrap(), Genuine { path, form: Form::JavaScript });
    }

    #[test]
    fn links_in_a_circle_directories_and_text_are_nothing() {
        let tree = Tree::new();
        tree.link("a/claude", &tree.path("b/claude"));
        tree.link("b/claude", &tree.path("a/claude"));
        fs::create_dir_all(tree.path("c/claude")).unwrap();
        tree.file("d/claude", b"just text");
        assert_eq!(tree.search(&["a", "b", "c", "d", "missing"], true), None);
    }

    #[test]
    fn a_script_is_taken_unless_scripts_only_lead_back_here() {
        let tree = Tree::new();
        let script = tree.file("scripts/claude", b"#!/bin/sh\nexec claude \"$@\"\n");
        let first = tree.search(&["scripts"], true).unwrap();
        assert_eq!(first, Genuine { path: script, form: Form::Script });
        assert_eq!(tree.search(&["scripts"], false), None);
    }

    #[test]
    fn the_one_that_was_named_is_taken_or_an_error() {
        let tree = Tree::new();
        let path = tree.file("somewhere/else", NATIVE);
        let own = tree.path("own/claude");
        let named =
            |named| Search { own: &own, directories: &[], named: Some(named), take_scripts: true }.run();
        assert_eq!(named(path.clone()), Ok(Genuine { path, form: Form::Native }));
        assert!(named(tree.path("missing")).unwrap_err().text().contains(NAMED));
    }
}
