//! Tests that need root, a download or minutes.
