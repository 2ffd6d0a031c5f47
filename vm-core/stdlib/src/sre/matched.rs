//! `re.Match`: the result of a match.

use super::drive::{Subject, group_span};
use super::pattern::Pattern;
use adder_runtime::memory::blank_header;
use adder_runtime::objects::genericaliasobject::new_generic_alias;
use adder_runtime::prelude::*;
use rustpython_sre_engine::State;
use std::cell::Cell;
use std::mem::offset_of;

#[repr(C)]
pub struct Match {
    ob_base: PyObject,
    string: Ref,
    pattern: Ref<Pattern>,
    pos: Cell<isize>,
    endpos: Cell<isize>,
    last_index: isize,
    regs: ObjectCell,
    /// Start and end per group, the whole match first; negative for a group that took no part.
    spans: Spans,
}

/// Few groups are kept in place.
enum Spans {
    Few(u8, [(isize, isize); 4]),
    Many(Box<[(isize, isize)]>),
}

impl Spans {
    fn as_slice(&self) -> &[(isize, isize)] {
        match self {
            Spans::Few(n, spans) => &spans[..usize::from(*n)],
            Spans::Many(spans) => spans,
        }
    }
}

#[pytype(
    name = "re.Match",
    static_name = MATCH_TYPE,
    flags = HAVE_GC | DISALLOW_INSTANTIATION,
    members = [
        ("pos", Py_T_PYSSIZET, offset_of!(Match, pos), Py_READONLY, "The index into the string at which the RE engine started looking for a match."),
        ("endpos", Py_T_PYSSIZET, offset_of!(Match, endpos), Py_READONLY, "The index into the string beyond which the RE engine will not go."),
    ],
)]
/// The result of re.match() and re.search().
/// Match objects always have a boolean value of True.
impl Match {
    pub fn new(pattern: &Pattern, string: &PyObject, pos: usize, endpos: usize, state: &State) -> PyResult<Ref<Match>> {
        let span = |group: usize| {
            if group == 0 {
                return (state.start as isize, state.cursor.position as isize);
            }
            group_span(state, group - 1).map_or((-1, -1), |(from, to)| (from as isize, to as isize))
        };
        let n = pattern.n_groups() + 1;
        let spans = if n <= 4 {
            let mut few = [(-1, -1); 4];
            for (group, place) in few[..n].iter_mut().enumerate() {
                *place = span(group);
            }
            Spans::Few(n as u8, few)
        } else {
            Spans::Many((0..n).map(span).collect())
        };
        if spans.as_slice().iter().any(|(from, to)| from > to) {
            return Err(raise!(
                SystemError,
                "The span of capturing group is wrong, please report a bug for the re module."
            ));
        }
        Ref::new(Match {
            ob_base: blank_header(),
            string: string.to_ref(),
            pattern: pattern.to_ref(),
            pos: Cell::new(pos as isize),
            endpos: Cell::new(endpos as isize),
            last_index: state.marks.last_index(),
            regs: ObjectCell::new(None),
            spans,
        })
    }
    pub fn n_groups(&self) -> usize {
        self.spans.as_slice().len()
    }
    /// What a group matched; `None` when it took no part.
    pub fn group_text(&self, group: usize) -> PyResult<Option<Ref>> {
        let (from, to) = self.spans.as_slice()[group];
        if from < 0 {
            return Ok(None);
        }
        let subject = Subject::of(&self.string)?;
        let len = subject.len();
        Ok(Some(subject.slice((from as usize).min(len), (to as usize).min(len))))
    }
    fn index_of(&self, group: &PyObject) -> PyResult<usize> {
        let index = if group.has_index() {
            group.to_index_saturating()?
        } else {
            match self.pattern.group_names().get(group) {
                Ok(Some(index)) => index.downcast::<PyLongObject>().map_or(-1, |index| index.to_isize().unwrap_or(-1)),
                Ok(None) => -1,
                Err(raised) => {
                    raised.clear();
                    -1
                }
            }
        };
        match usize::try_from(index) {
            Ok(index) if index < self.n_groups() => Ok(index),
            _ => Err(raise!(IndexError, "no such group")),
        }
    }
    fn group_object(&self, group: &PyObject) -> PyResult {
        let index = self.index_of(group)?;
        Ok(self.group_text(index)?.unwrap_or_else(none_ref))
    }
    fn span_of(&self, group: Option<&PyObject>) -> PyResult<(isize, isize)> {
        let index = group.map_or(Ok(0), |group| self.index_of(group))?;
        Ok(self.spans.as_slice()[index])
    }
    /// group([group1, ...]) -> str or tuple.
    /// Subgroups of the match by number or name; the whole match is number 0.
    #[method(raw, "(...)")]
    fn group(&self, args: &[&PyObject]) -> PyResult {
        match args {
            [] => Ok(self.group_text(0)?.unwrap_or_else(none_ref)),
            [group] => self.group_object(group),
            _ => {
                let parts: PyResult<Vec<Ref>> = args.iter().map(|group| self.group_object(group)).collect();
                Ok(PyTupleObject::from_vec(parts?).into_object())
            }
        }
    }
    /// Index of the start of what the group matched.
    #[method("($self, group=0, /)")]
    fn start(&self, group: Option<&PyObject>) -> PyResult<isize> {
        Ok(self.span_of(group)?.0)
    }
    /// Index of the end of what the group matched.
    #[method("($self, group=0, /)")]
    fn end(&self, group: Option<&PyObject>) -> PyResult<isize> {
        Ok(self.span_of(group)?.1)
    }
    /// The tuple (start, end) of a group.
    #[method("($self, group=0, /)")]
    fn span(&self, group: Option<&PyObject>) -> PyResult<(isize, isize)> {
        self.span_of(group)
    }
    /// All subgroups as a tuple.
    #[method("($self, /, default=None)")]
    fn groups(&self, default: Option<&PyObject>) -> PyResult {
        let default = default.unwrap_or(none());
        let parts: PyResult<Vec<Ref>> = (1..self.n_groups())
            .map(|group| Ok(self.group_text(group)?.unwrap_or_else(|| default.to_ref())))
            .collect();
        Ok(PyTupleObject::from_vec(parts?).into_object())
    }
    /// The named subgroups as a dictionary.
    #[method("($self, /, default=None)")]
    fn groupdict(&self, default: Option<&PyObject>) -> PyResult<Ref<PyDictObject>> {
        let default = default.unwrap_or(none());
        let result = PyDictObject::new();
        let names = self.pattern.group_names();
        let mut position = 0;
        while let Some((name, index, _)) = names.next_entry(&mut position) {
            let name = name.to_ref();
            let index = self.index_of(index)?;
            let text = self.group_text(index)?;
            result.set(&name, text.as_deref().unwrap_or(default))?;
        }
        Ok(result)
    }
    /// The template with its references to groups replaced.
    #[method("($self, /, template)")]
    fn expand(&self, template: &PyObject) -> PyResult {
        self.pattern.compile_template(template)?.expand(self)
    }
    #[method("($self, /)")]
    fn __copy__(&self) -> Ref<Match> {
        self.to_ref()
    }
    #[method("($self, memo, /)")]
    fn __deepcopy__(&self, memo: &PyObject) -> Ref<Match> {
        let _ = memo;
        self.to_ref()
    }
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        new_generic_alias(cls.as_object(), object)
    }
    /// The string passed to match() or search().
    #[getter(name = "string")]
    fn get_string(&self) -> Ref {
        self.string.clone()
    }
    /// The regular expression object.
    #[getter(name = "re")]
    fn get_re(&self) -> Ref<Pattern> {
        self.pattern.clone()
    }
    /// The integer index of the last matched capturing group.
    #[getter]
    fn lastindex(&self) -> Option<isize> {
        Some(self.last_index).filter(|index| *index >= 0)
    }
    /// The name of the last matched capturing group.
    #[getter]
    fn lastgroup(&self) -> Option<Ref> {
        usize::try_from(self.last_index).ok().and_then(|index| self.pattern.name_of_group(index))
    }
    #[getter(name = "regs")]
    fn get_regs(&self) -> PyResult {
        if let Some(regs) = self.regs.get() {
            return Ok(regs);
        }
        let pair = |span: &(isize, isize)| {
            PyTupleObject::from_vec(vec![
                PyLongObject::from_isize(span.0).into_object(),
                PyLongObject::from_isize(span.1).into_object(),
            ])
            .into_object()
        };
        let regs = PyTupleObject::from_vec(self.spans.as_slice().iter().map(pair).collect()).into_object();
        self.regs.set(Some(regs.clone()));
        Ok(regs)
    }
    #[slot]
    fn mp_subscript(&self, group: &PyObject) -> PyResult {
        self.group_object(group)
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        let (from, to) = self.spans.as_slice()[0];
        let text = self.group_text(0)?.unwrap_or_else(none_ref).repr()?;
        let name = self.as_object().ty().fully_qualified_name();
        let shown: String = text.to_string_lossy().chars().take(50).collect();
        Ok(format!("<{name} object; span=({from}, {to}), match={shown}>"))
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        for object in [self.string.as_raw(), self.pattern.as_raw().cast()] {
            let status = visitor.visit::<PyObject>(object);
            if status != 0 {
                return status;
            }
        }
        self.regs.visit(visitor)
    }
    #[slot]
    fn tp_clear(&self) {
        self.regs.set(None);
    }
}
