//! The version of the genuine client, without running it.

use std::{fs, path::Path};

/// From its package, or from the name that the native installer gives its file.
pub fn version(path: &Path) -> Option<String> {
    let real = path.canonicalize().ok()?;
    let named = real.file_name().and_then(|name| name.to_str()).filter(|name| numbers(name).is_some());
    if let Some(named) = named {
        return Some(named.to_owned());
    }
    let mut package = real.ancestors().skip(1).take(3).map(|directory| directory.join("package.json"));
    let content = package.find_map(|path| fs::read(path).ok())?;
    let package: serde_json::Value = serde_json::from_slice(&content).ok()?;
    Some(package.get("version")?.as_str()?.to_owned())
}

/// The numbers of a version, which compare as versions do.
pub fn numbers(version: &str) -> Option<[u64; 3]> {
    let numbers: Option<Vec<u64>> = version.split('.').map(|number| number.parse().ok()).collect();
    numbers?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_their_numbers() {
        assert!(numbers("2.1.99").unwrap() < numbers("2.1.330").unwrap());
        assert_eq!(numbers("claude"), None);
        assert_eq!(numbers("2.1"), None);
    }
}
