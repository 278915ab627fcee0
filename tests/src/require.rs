//! Skipping what a machine cannot do, out loud; with `CLAUDECTL_REQUIRE_ALL=1` a skip is a failure.

use std::{env, fs, path::PathBuf, process::Command};

use nix::{
    sys::ptrace::{self, Options},
    unistd::Pid,
};

/// Why a test cannot run here.
pub type Missing = String;

/// Says why a test is skipped; fails it if everything is required.
pub fn skip(why: &str) {
    assert!(env::var_os("CLAUDECTL_REQUIRE_ALL").is_none(), "CLAUDECTL_REQUIRE_ALL is set, but: {why}");
    eprintln!("SKIPPED: {why}");
}

/// Returns from the test, out loud, unless the given `Result` of this module is `Ok`.
#[macro_export]
macro_rules! need {
    ($need:expr) => {
        match $need {
            Ok(found) => found,
            Err(why) => return $crate::require::skip(&why),
        }
    };
}

/// Root, for other processes' memory, users and namespaces.
///
/// # Errors
/// Not root.
pub fn root() -> Result<(), Missing> {
    if rustix::process::geteuid().is_root() { Ok(()) } else { Err("needs root".into()) }
}

/// Root that may follow other programs, which a container can forbid.
///
/// # Errors
/// Not root, or forbidden.
pub fn tracing() -> Result<(), Missing> {
    root()?;
    // What makes itself undumpable is looked at with that capability only (capabilities(7)).
    let status = fs::read_to_string("/proc/self/status").expect("the kernel's word");
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap_or_default();
    let effective = u64::from_str_radix(effective.trim(), 16).unwrap_or_default();
    if effective & 1 << CAP_SYS_PTRACE == 0 {
        return Err("needs the capability to follow programs that protect themselves".to_owned());
    }
    let mut program = Command::new("/bin/sleep").arg("600").spawn().expect("sleep runs");
    let seized = ptrace::seize(Pid::from_raw(program.id().cast_signed()), Options::empty());
    program.kill().expect("our own child");
    program.wait().expect("our own child");
    seized.map_err(|error| format!("needs to be allowed to follow other programs: {error}"))
}

/// Its number in `linux/capability.h`.
const CAP_SYS_PTRACE: u32 = 19;

/// A program on the path.
///
/// # Errors
/// Not there.
pub fn program(name: &str) -> Result<PathBuf, Missing> {
    ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        .iter()
        .map(|directory| PathBuf::from(directory).join(name))
        .find(|path| path.is_file())
        .ok_or_else(|| format!("needs the program {name}: run tests/prepare as root"))
}

/// A file of the download cache that `tests/prepare` fills (`.cache`, or `$CLAUDECTL_CACHE`).
///
/// # Errors
/// Not fetched.
pub fn cached(file: &str) -> Result<PathBuf, Missing> {
    let cache = env::var_os("CLAUDECTL_CACHE")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.cache")), PathBuf::from);
    let path = cache.join(file);
    if path.exists() { Ok(path) } else { Err(format!("needs {}: run tests/prepare", path.display())) }
}

/// The OpenID server that is not ours.
///
/// # Errors
/// Not fetched, or no node to run it.
pub fn oidc_provider() -> Result<PathBuf, Missing> {
    program("node")?;
    cached("oidc-provider/node_modules/oidc-provider/lib/index.js")
}

/// The genuine Claude Code.
///
/// # Errors
/// Not fetched.
pub fn claude_code() -> Result<PathBuf, Missing> {
    cached("claude-code/node_modules/@anthropic-ai/claude-code-linux-x64/claude")
}
