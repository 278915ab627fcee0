//! The file of certificates of gateways: one line each, `ORIGIN sha256:DIGITS`. Nothing in it is secret.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use claudectl_platform::permissions::{self, LockFile};

use crate::proxy::upstream::Fingerprint;

/// Longest file that is read, in bytes.
const LONGEST: u64 = 1 << 20;

/// How long another daemon may take to write its line.
const PATIENCE: Duration = Duration::from_secs(1);

const HEADER: &str = "# Certificates of gateways, noted by claudectl at the first login to each.\n\
    # Take a line away, and the next login notes the certificate that is there then.\n";

/// The line of one gateway.
#[derive(Debug, Clone)]
pub(in crate::oauth) struct Known {
    path: PathBuf,
    origin: String,
}

impl Known {
    pub(super) fn at(path: &Path, origin: &str) -> Self {
        Self { path: path.to_owned(), origin: origin.to_owned() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What is noted about it. A line that cannot be read is an error: it may be the one that counts.
    pub(super) fn read(&self) -> io::Result<Option<Fingerprint>> {
        let text = self.text()?;
        let mut noted = None;
        for (number, line) in text.lines().enumerate().filter(|(_, line)| is_entry(line)) {
            let (origin, fingerprint) = entry(line).ok_or_else(|| {
                let (path, line) = (self.path.display(), number + 1);
                io::Error::new(io::ErrorKind::InvalidData, format!("{path}:{line}: not ORIGIN sha256:DIGITS"))
            })?;
            if origin == self.origin {
                noted = Some(fingerprint);
            }
        }
        Ok(noted)
    }

    /// Notes it, in place of what was noted before. The file is replaced at once, by one daemon at a time:
    /// those with other runtime directories have the same file.
    pub(in crate::oauth) fn note(&self, fingerprint: Fingerprint) -> io::Result<()> {
        if let Some(directory) = self.path.parent() {
            fs::create_dir_all(directory.parent().unwrap_or(directory))?;
            permissions::private_directory(directory).map_err(io::Error::other)?;
        }
        let own = std::process::id().to_string();
        let _lock = LockFile::acquire_within(&self.path.with_extension("lock"), &own, PATIENCE)
            .map_err(io::Error::other)?;
        let old = self.text()?;
        let others = old
            .lines()
            .filter(|line| is_entry(line) && entry(line).is_none_or(|(origin, _)| origin != self.origin));
        let mut new = HEADER.to_owned();
        for line in others {
            new.push_str(line);
            new.push('\n');
        }
        new.extend([&self.origin, " sha256:", &fingerprint.to_string(), "\n"]);
        permissions::replace_own(&self.path, new.as_bytes())
    }

    fn text(&self) -> io::Result<String> {
        let bytes = match permissions::read_own(&self.path, LONGEST) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
            outcome => outcome.map_err(|error| self.unreadable(&error))?,
        };
        String::from_utf8(bytes).map_err(|error| self.unreadable(&error))
    }

    fn unreadable(&self, why: &dyn std::fmt::Display) -> io::Error {
        let path = self.path.display();
        io::Error::new(io::ErrorKind::InvalidData, format!("{path} is not a file of pins: {why}"))
    }
}

fn is_entry(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#')
}

fn entry(line: &str) -> Option<(&str, Fingerprint)> {
    let (origin, digits) = line.trim().split_once(" sha256:")?;
    Some((origin, digits.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(digit: char) -> Fingerprint {
        digit.to_string().repeat(64).parse().unwrap()
    }

    #[test]
    fn notes_replace_only_their_own_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state/claudectl/known_gateways");
        let (one, other) =
            (Known::at(&path, "https://one.example"), Known::at(&path, "https://other.example"));
        assert_eq!(one.read().unwrap(), None);
        one.note(fingerprint('1')).unwrap();
        other.note(fingerprint('2')).unwrap();
        one.note(fingerprint('3')).unwrap();
        assert_eq!(one.read().unwrap(), Some(fingerprint('3')));
        assert_eq!(other.read().unwrap(), Some(fingerprint('2')));
        assert_eq!(fs::read_to_string(&path).unwrap().matches("sha256:").count(), 2);
    }

    #[test]
    fn those_who_note_at_once_take_no_line_from_each_other() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state/claudectl/known_gateways");
        std::thread::scope(|scope| {
            for number in 0..8 {
                let known = Known::at(&path, &format!("https://{number}.example"));
                scope.spawn(move || known.note(fingerprint('1')).unwrap());
            }
        });
        for number in 0..8 {
            let noted = Known::at(&path, &format!("https://{number}.example")).read().unwrap();
            assert_eq!(noted, Some(fingerprint('1')), "{number}");
        }
    }

    #[test]
    fn a_link_in_its_place_is_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let (path, other) = (directory.path().join("known_gateways"), directory.path().join("other"));
        fs::write(&other, "").unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        let known = Known::at(&path, "https://one.example");
        assert!(known.read().unwrap_err().to_string().contains("symbolic link"));
        assert!(known.note(fingerprint('1')).is_err());
        assert_eq!(fs::read_to_string(&other).unwrap(), "");
    }

    #[test]
    fn a_line_that_cannot_be_read_is_not_passed_over() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("known_gateways");
        for text in ["https://one.example sha256:12\n", "nonsense\n", "https://one.example md5:aa\n"] {
            fs::write(&path, format!("# hello\n\n{text}")).unwrap();
            let error = Known::at(&path, "https://one.example").read().unwrap_err().to_string();
            assert!(error.contains("known_gateways:3:"), "{error}");
        }
    }
}
