//! `_sre.SRE_Scanner`: steps through a subject, match by match.

use super::drive::{Kind, Subject};
use super::matched::Match;
use super::pattern::Pattern;
use adder_runtime::memory::blank_header;
use adder_runtime::objects::buffer::Buffer;
use adder_runtime::prelude::*;
use rustpython_sre_engine::State;
use std::cell::{Cell, RefCell};

#[repr(C)]
pub struct Scanner {
    ob_base: PyObject,
    pattern: Ref<Pattern>,
    string: Ref,
    pos: usize,
    endpos: usize,
    /// Where the next match may begin; `None` after a failure.
    next: Cell<Option<usize>>,
    must_advance: Cell<bool>,
    /// Held so that the subject stays as long as it is.
    _view: Option<Buffer>,
    state: RefCell<State>,
}

#[pytype(name = "_sre.SRE_Scanner", static_name = SCANNER_TYPE, flags = HAVE_GC | DISALLOW_INSTANTIATION)]
/// Steps through a string.
impl Scanner {
    pub fn new(pattern: &Pattern, string: &PyObject, pos: isize, endpos: isize) -> PyResult<Ref<Scanner>> {
        let (subject, start, end) = pattern.subject(string, pos, endpos)?;
        let view = match subject {
            Subject::View(_, view) => Some(view),
            _ => None,
        };
        Ref::new(Scanner {
            ob_base: blank_header(),
            pattern: pattern.to_ref(),
            string: string.to_ref(),
            pos: start,
            endpos: end,
            next: Cell::new(Some(start)),
            must_advance: Cell::new(false),
            _view: view,
            state: RefCell::new(State::default()),
        })
    }
    fn step(&self, kind: Kind) -> PyResult<Option<Ref<Match>>> {
        let Ok(mut state) = self.state.try_borrow_mut() else {
            return Err(raise!(ValueError, "regular expression scanner already executing"));
        };
        let Some(start) = self.next.get() else { return Ok(None) };
        let (subject, start, end) = self.pattern.subject(&self.string, start as isize, self.endpos as isize)?;
        let mut run = self.pattern.run(kind, start, end);
        run.must_advance = self.must_advance.get();
        if !subject.run(run, &mut state)? {
            self.next.set(None);
            return Ok(None);
        }
        self.must_advance.set(state.cursor.position == state.start);
        self.next.set(Some(state.cursor.position));
        Match::new(&self.pattern, &self.string, self.pos, self.endpos, &state).map(Some)
    }
    #[method("($self, /)", name = "match")]
    fn match_(&self) -> PyResult<Option<Ref<Match>>> {
        self.step(Kind::Match)
    }
    #[method("($self, /)")]
    fn search(&self) -> PyResult<Option<Ref<Match>>> {
        self.step(Kind::Search)
    }
    #[getter]
    fn pattern(&self) -> Ref<Pattern> {
        self.pattern.clone()
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        let status = visitor.visit(self.pattern.as_raw());
        if status != 0 { status } else { visitor.visit(self.string.as_raw()) }
    }
}
