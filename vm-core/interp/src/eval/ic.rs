//! Counters of the inline caches: `ADDERLOG=ic-summary:FILE` (or `-`) prints them at the end. They are counted where an
//! instruction is written over, which is never on a fast path: a site that stays in its form costs nothing.

use adder_compiler::bytecode::Opcode;
use std::cell::Cell;
use std::fmt::Write;

/// What happened to the sites of one opcode.
struct Counts {
    /// A site took this form.
    specialised: Cell<u64>,
    /// Operands were not what the form is for.
    missed: Cell<u64>,
    /// The form was given up.
    dropped: Cell<u64>,
    /// No form fitted the operands of the generic instruction.
    unsuitable: Cell<u64>,
}

struct Table([Counts; 256]);
// SAFETY: counted only by the thread that holds the GIL.
unsafe impl Sync for Table {}

static COUNTS: Table = Table(
    [const {
        Counts {
            specialised: Cell::new(0),
            missed: Cell::new(0),
            dropped: Cell::new(0),
            unsuitable: Cell::new(0),
        }
    }; 256],
);

fn add(counter: &Cell<u64>) {
    counter.set(counter.get() + 1);
}
pub fn specialised(form: u8) {
    add(&COUNTS.0[form as usize].specialised);
}
pub fn missed(form: u8) {
    add(&COUNTS.0[form as usize].missed);
}
pub fn dropped(form: u8) {
    add(&COUNTS.0[form as usize].dropped);
}
pub fn unsuitable(generic: u8) {
    add(&COUNTS.0[generic as usize].unsuitable);
}

/// Where `$ADDERLOG` wants the section: a path, `-` for standard error.
fn destination(section: &str) -> Option<String> {
    let log = std::env::var("ADDERLOG").ok()?;
    let (sections, file) = log.rsplit_once(':').unwrap_or((&log, "-"));
    sections
        .split(',')
        .any(|name| name == section)
        .then(|| file.to_owned())
}

/// The table as text: one row for each opcode that anything happened to.
fn summary() -> String {
    let mut text = String::from("opcode                     specialised     misses    dropped unsuitable\n");
    for (number, counts) in COUNTS.0.iter().enumerate() {
        let row = [
            &counts.specialised,
            &counts.missed,
            &counts.dropped,
            &counts.unsuitable,
        ]
        .map(Cell::get);
        if let Some(opcode) = Opcode::from_u8(number as u8)
            && row.iter().any(|count| *count != 0)
        {
            let [specialised, missed, dropped, unsuitable] = row;
            let name = opcode.info().name;
            let _ = writeln!(
                text,
                "{name:<27}{specialised:>11}{missed:>11}{dropped:>11}{unsuitable:>11}"
            );
        }
    }
    text
}

/// Prints the counters if they were asked for.
pub fn report() {
    match destination("ic-summary").as_deref() {
        None => {}
        Some("-") => eprint!("{}", summary()),
        Some(path) => {
            if let Err(error) = std::fs::write(path, summary()) {
                eprintln!("ADDERLOG: {path}: {error}");
            }
        }
    }
}
