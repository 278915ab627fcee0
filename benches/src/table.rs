//! The tables, as Markdown.

/// What a number has to be for the product to have met its target.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    /// The most that it may be.
    pub(crate) most: f64,
    /// What it is; NaN if it could not be measured.
    pub(crate) seen: f64,
}

impl Target {
    /// One bound on one number.
    pub(crate) fn at_most(most: f64, seen: f64) -> Self {
        Self { most, seen }
    }

    /// `met` or `missed`, or that it could not be seen.
    pub(crate) fn verdict(self) -> &'static str {
        if self.seen.is_nan() {
            "not measured"
        } else if self.seen <= self.most {
            "met"
        } else {
            "**missed**"
        }
    }
}

/// One table.
#[derive(Debug)]
pub(crate) struct Table {
    columns: usize,
}

impl Table {
    /// Prints the title, if there is one, and the head.
    pub(crate) fn start(title: &str, columns: &[&str]) -> Self {
        if !title.is_empty() {
            println!("\n### {title}");
        }
        println!();
        println!("| {} |", columns.join(" | "));
        println!("|{}", "---|".repeat(columns.len()));
        Self { columns: columns.len() }
    }

    /// Prints a row; cells that are missing at its end are empty.
    pub(crate) fn row(&self, cells: &[String]) {
        let mut cells = cells.to_vec();
        cells.resize(self.columns, String::new());
        println!("| {} |", cells.join(" | "));
    }

    /// A row for a peer that cannot be measured here.
    pub(crate) fn absent(&self, name: &str) {
        self.row(&[name.to_owned(), "not here".to_owned()]);
    }
}

/// A number with as many digits as it is worth; a dash for NaN.
pub(crate) fn number(value: f64) -> String {
    match value {
        value if value.is_nan() => "–".to_owned(),
        value if value.abs() >= 100.0 => format!("{value:.0}"),
        value if value.abs() >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

/// Prints a sentence below a table.
pub(crate) fn note(text: &str) {
    println!("\n{text}");
}
