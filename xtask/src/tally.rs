//! what a stage of the tests did -> three numbers that are summed at the end.

/// Counts of tests. What is known not to work yet is among `skipped`, and said separately in `known`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
    /// How many of `skipped` ran and fail, but never passed in a recorded baseline.
    pub known: usize,
}

impl Tally {
    pub fn skipped(n: usize) -> Tally {
        Tally {
            skipped: n,
            ..Tally::default()
        }
    }

    pub fn add(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.known += other.known;
    }

    /// The sum of the lines `N passed, N failed, N skipped` (or `N ignored`, as cargo says) that a command printed;
    /// `None` when there is no such line.
    pub fn read(text: &str) -> Option<Tally> {
        let mut sum = None;
        for line in text.lines() {
            let line = line
                .strip_prefix("test result: ")
                .map_or(line, |rest| rest.split_once(". ").map_or(rest, |x| x.1));
            let mut tally = Tally::default();
            let mut found = 0;
            for part in line.split([',', ';']) {
                let words: Vec<&str> = part.split_whitespace().collect();
                let [number, word] = words[..] else { continue };
                let Ok(number) = number.parse() else { continue };
                match word {
                    "passed" => tally.passed = number,
                    "failed" => tally.failed = number,
                    "skipped" | "ignored" => tally.skipped = number,
                    "known" => tally.known = number,
                    _ => continue,
                }
                found += 1;
            }
            if found >= 3 {
                sum.get_or_insert_with(Tally::default).add(tally);
            }
        }
        sum
    }

    /// Counts one test.
    pub fn count(&mut self, passed: bool) {
        if passed {
            self.passed += 1;
        } else {
            self.failed += 1;
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} passed, {} failed, {} skipped",
            self.passed, self.failed, self.skipped
        )
    }
}

#[cfg(test)]
#[path = "tests/tally.rs"]
mod tests;
