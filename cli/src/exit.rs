//! What the process tells its parent.

use std::process::ExitCode;

use claudectl_proto::v1::Reason;

/// How a command ended. The numbers are an interface: scripts read them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Exit {
    /// It did what it was asked.
    Ok,
    /// It failed.
    Failed,
    /// It was asked wrongly.
    Usage,
    /// It needs a daemon, and none runs.
    NoDaemon,
    /// The account is sealed.
    Sealed,
    /// Somebody has to log in first.
    LoginNeeded,
    /// It was done, but not all of it is proven; the receipt says what.
    Unproven,
    /// What a shell says of a program that it could not run: 126, or 127 if there is none.
    NotRun(u8),
    /// The program ran as a child and ended with this (only where a process cannot turn into one).
    Ran(ExitCode),
}

impl Exit {
    /// The number of a command that is our own.
    pub fn code(self) -> u8 {
        match self {
            Self::Ok | Self::Ran(_) => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NoDaemon => 3,
            Self::Sealed => 4,
            Self::LoginNeeded => 5,
            Self::Unproven => 6,
            Self::NotRun(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Ran(code) => code,
            exit => Self::from(exit.code()),
        }
    }
}

/// A failed call never ends in [`Exit::Ok`], whatever the daemon's version says the reason is.
impl From<Reason> for Exit {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::InvalidArgument => Self::Usage,
            Reason::Stopping => Self::NoDaemon,
            Reason::Sealed => Self::Sealed,
            Reason::NotLoggedIn | Reason::NoDefaultAccount | Reason::LoginNeeded => Self::LoginNeeded,
            Reason::Unspecified
            | Reason::NotACredential
            | Reason::CredentialRefused
            | Reason::UpstreamUnreachable
            | Reason::IntakeFailed
            | Reason::UnknownSession
            | Reason::LimitReached
            | Reason::BadConfiguration
            | Reason::Resource
            | Reason::UnknownPeer
            | Reason::Denied
            | Reason::NotKept
            | Reason::UnknownAuthority
            | Reason::NotAuthorized
            | Reason::Keyring => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_numbers() {
        let table = [
            Exit::Ok,
            Exit::Failed,
            Exit::Usage,
            Exit::NoDaemon,
            Exit::Sealed,
            Exit::LoginNeeded,
            Exit::Unproven,
        ];
        assert_eq!(table.map(Exit::code), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(Exit::NotRun(127).code(), 127);
        assert_eq!(ExitCode::from(Exit::Ran(ExitCode::from(9))), ExitCode::from(9));
    }

    #[test]
    fn no_reason_is_a_success() {
        for reason in (0..).map_while(|number| Reason::try_from(number).ok()) {
            assert_ne!(Exit::from(reason).code(), 0, "{reason:?}");
        }
    }
}
