//! What may happen next.

use proptest::prelude::*;

/// One step of a history. Numbers choose among what is pending, by their remainder.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    BeginLogin {
        name: u8,
        check: bool,
        keep: bool,
    },
    /// A login that waits for its credential gets it, or fails.
    Obtain {
        which: u8,
        arrives: Option<Token>,
    },
    /// A login that waits for the upstream hears from it.
    Check {
        which: u8,
        accepted: bool,
    },
    /// A refresh is answered.
    Refresh {
        which: u8,
        answer: RefreshAnswer,
    },
    /// A revocation is answered.
    Revoke {
        which: u8,
    },
    /// The keyring carries out the oldest thing that it was told.
    Keyring {
        works: bool,
    },
    /// An API socket is up, or not.
    Start {
        which: u8,
        works: bool,
    },
    /// A request of an account is refused by the upstream.
    AccessRefused {
        name: u8,
    },
    Switch {
        name: u8,
    },
    LogOut {
        name: Option<u8>,
    },
    LogOutAll,
    Seal {
        name: Option<u8>,
    },
    Unseal {
        name: Option<u8>,
    },
    Open {
        id: u8,
        pid: u8,
        name: Option<u8>,
    },
    Move {
        id: u8,
        name: u8,
    },
    End {
        id: u8,
    },
    Exit {
        id: u8,
    },
    Locked {
        purges: bool,
        footprints: bool,
    },
    /// One more source tells of the lock.
    LockToldAgain,
    /// The next daemon would know that footprints are to be removed.
    FootprintsNoted,
    /// Footprints were removed.
    FootprintsRemoved,
    Unlocked,
    Suspending,
    Resumed,
    /// Time passes.
    Wait {
        seconds: u32,
    },
    /// Somebody sets the wall clock.
    SetClock {
        by: i32,
    },
    /// The daemon stops; the keyring still does so much of what it was told; it is started again.
    Stop {
        told: u8,
    },
    /// As above, but nobody told the daemon.
    Crash {
        told: u8,
    },
}

/// What a credential that arrives is like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token {
    pub(crate) lifetime: Option<u16>,
    pub(crate) renewable: bool,
    pub(crate) revocable: bool,
}

/// What the authorization server says to a refresh.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RefreshAnswer {
    Renewed { lifetime: Option<u16>, renewable: bool },
    Transient { retry_after: Option<u8> },
    Rejected,
}

fn lifetime() -> impl Strategy<Value = Option<u16>> {
    prop_oneof![1 => Just(None), 1 => Just(Some(0)), 2 => (1..30_u16).prop_map(Some), 6 => (30..8_000_u16).prop_map(Some)]
}

fn token() -> impl Strategy<Value = Token> {
    (lifetime(), prop::bool::weighted(0.75), prop::bool::weighted(0.75))
        .prop_map(|(lifetime, renewable, revocable)| Token { lifetime, renewable, revocable })
}

fn refresh_answer() -> impl Strategy<Value = RefreshAnswer> {
    prop_oneof![
        6 => (lifetime(), prop::bool::weighted(0.9))
            .prop_map(|(lifetime, renewable)| RefreshAnswer::Renewed { lifetime, renewable }),
        3 => prop::option::of(any::<u8>()).prop_map(|retry_after| RefreshAnswer::Transient { retry_after }),
        1 => Just(RefreshAnswer::Rejected),
    ]
}

/// What clients ask for.
fn asked() -> impl Strategy<Value = Step> {
    let name = 0..4_u8;
    let (id, some) = (0..6_u8, prop::option::of(0..3_u8));
    prop_oneof![
        40 => (name.clone(), any::<bool>(), prop::bool::weighted(0.7))
            .prop_map(|(name, check, keep)| Step::BeginLogin { name, check, keep }),
        5 => name.clone().prop_map(|name| Step::Switch { name }),
        14 => prop::option::of(name.clone()).prop_map(|name| Step::LogOut { name }),
        4 => Just(Step::LogOutAll),
        18 => some.clone().prop_map(|name| Step::Seal { name }),
        22 => some.prop_map(|name| Step::Unseal { name }),
        24 => (id.clone(), 0..4_u8, prop::option::of(name))
            .prop_map(|(id, pid, name)| Step::Open { id, pid, name }),
        8 => (id.clone(), 0..4_u8).prop_map(|(id, name)| Step::Move { id, name }),
        4 => id.clone().prop_map(|id| Step::End { id }),
        4 => id.prop_map(|id| Step::Exit { id }),
    ]
}

/// What the world does.
fn happened() -> impl Strategy<Value = Step> {
    let which = any::<u8>();
    prop_oneof![
        50 => (which, prop::option::weighted(0.85, token()))
            .prop_map(|(which, arrives)| Step::Obtain { which, arrives }),
        25 => (which, prop::bool::weighted(0.8))
            .prop_map(|(which, accepted)| Step::Check { which, accepted }),
        30 => (which, refresh_answer()).prop_map(|(which, answer)| Step::Refresh { which, answer }),
        25 => which.prop_map(|which| Step::Revoke { which }),
        90 => prop::bool::weighted(0.9).prop_map(|works| Step::Keyring { works }),
        25 => (which, prop::bool::weighted(0.9)).prop_map(|(which, works)| Step::Start { which, works }),
        15 => (0..3_u8).prop_map(|name| Step::AccessRefused { name }),
        8 => (prop::bool::weighted(0.3), prop::bool::weighted(0.6))
            .prop_map(|(purges, footprints)| Step::Locked { purges, footprints }),
        4 => Just(Step::LockToldAgain),
        6 => Just(Step::FootprintsNoted),
        6 => Just(Step::FootprintsRemoved),
        8 => Just(Step::Unlocked),
        5 => Just(Step::Suspending),
        10 => Just(Step::Resumed),
        40 => prop_oneof![0..15_u32, 15..700_u32, 700..9_000_u32].prop_map(|seconds| Step::Wait { seconds }),
        6 => prop_oneof![Just(-86_400), Just(86_400), -4_000..4_000_i32].prop_map(|by| Step::SetClock { by }),
        2 => any::<u8>().prop_map(|told| Step::Stop { told }),
        2 => any::<u8>().prop_map(|told| Step::Crash { told }),
    ]
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![2 => asked(), 3 => happened()]
}
