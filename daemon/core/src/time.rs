//! Time, as an argument.

use std::time::Duration;

/// One moment, by both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now {
    /// Since the machine started, suspend included. Deadlines are made of this.
    pub since_boot: Duration,
    /// Seconds since the Unix epoch. Shown to people, never compared.
    pub wall: i64,
}

/// `HH:MM UTC`, for sentences.
pub fn clock_time(wall: i64) -> String {
    let minutes = wall.div_euclid(60).rem_euclid(24 * 60);
    format!("{:02}:{:02} UTC", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::clock_time;

    #[test]
    fn clock_times() {
        assert_eq!(clock_time(0), "00:00 UTC");
        assert_eq!(clock_time(86_400 + 3_600 * 14 + 60 * 3 + 59), "14:03 UTC");
        assert_eq!(clock_time(-60), "23:59 UTC");
    }
}
