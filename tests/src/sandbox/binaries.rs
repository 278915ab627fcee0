//! Where the programs under test are.

use std::{
    env,
    ffi::OsStr,
    fs::File,
    path::{Path, PathBuf},
    process::Command,
};

/// The directory of the programs under test: `$CLAUDECTL_BIN_DIR`, else the target directory of the
/// running test.
pub fn directory() -> PathBuf {
    if let Some(given) = env::var_os("CLAUDECTL_BIN_DIR") {
        return given.into();
    }
    let test = env::current_exe().expect("a path");
    // target/PROFILE/deps/test-HASH
    test.parent().and_then(Path::parent).expect("a target directory").to_owned()
}

/// The path of a program under test; builds the workspace's programs if it is missing.
pub fn binary(name: &OsStr) -> PathBuf {
    let path = directory().join(name);
    if !path.exists() {
        build();
    }
    assert!(path.exists(), "{} was not built", path.display());
    path
}

/// Builds once, however many tests want it.
fn build() {
    let lock =
        File::create(directory().join(".claudectl-tests-build.lock")).expect("a writable target directory");
    lock.lock().expect("a lock");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).args(["build", "--workspace", "--bins"]);
    if directory().ends_with("release") {
        cargo.arg("--release");
    }
    assert!(cargo.status().expect("cargo runs").success(), "the build failed");
}
