//! `re.Pattern`: a compiled pattern and its methods.

use super::drive::{Kind, Run, Subject, group_span};
use super::matched::Match;
use super::scanner::Scanner;
use super::template::{Template, join};
use adder_runtime::memory::blank_header;
use adder_runtime::objects::buffer::Buffer;
use adder_runtime::objects::genericaliasobject::new_generic_alias;
use adder_runtime::prelude::*;
use rustpython_sre_engine::State;
use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::mem::offset_of;

#[repr(C)]
pub struct Pattern {
    ob_base: PyObject,
    weakreflist: Cell<*mut PyObject>,
    pattern: Ref,
    flags: Cell<c_int>,
    groups: Cell<isize>,
    groupindex: Ref<PyDictObject>,
    indexgroup: Ref<PyTupleObject>,
    code: Box<[u32]>,
    /// Whether subjects must be bytes-like, when there is a pattern to tell it.
    is_bytes: Option<bool>,
}

const FLAG_UNICODE: c_int = 32;
/// The flags that a repr names, in its order.
const FLAG_NAMES: [(&str, c_int); 8] = [
    ("re.IGNORECASE", 2),
    ("re.MULTILINE", 8),
    ("re.DOTALL", 16),
    ("re.VERBOSE", 64),
    ("re.DEBUG", 128),
    ("re.LOCALE", 4),
    ("re.UNICODE", FLAG_UNICODE),
    ("re.ASCII", 256),
];

pub fn compile(
    pattern: &PyObject,
    flags: c_int,
    code: &PyListObject,
    groups: isize,
    groupindex: &PyDictObject,
    indexgroup: &PyTupleObject,
) -> PyResult {
    let mut words = Vec::with_capacity(code.len());
    for word in code.as_slice() {
        let Some(value) = word.downcast::<PyLongObject>() else {
            return Err(raise!(TypeError, "an integer is required"));
        };
        let Some(value) = value.to_u64().and_then(|value| u32::try_from(value).ok()) else {
            return Err(raise!(OverflowError, "regular expression code size limit exceeded"));
        };
        words.push(value);
    }
    let is_bytes = if is_none(pattern) { None } else { Some(Subject::of(pattern)?.is_bytes()) };
    let this = Pattern {
        ob_base: blank_header(),
        weakreflist: Cell::new(std::ptr::null_mut()),
        pattern: pattern.to_ref(),
        flags: Cell::new(flags),
        groups: Cell::new(groups),
        groupindex: groupindex.to_ref(),
        indexgroup: indexgroup.to_ref(),
        code: super::admit::admit(&words, groups)?,
        is_bytes,
    };
    Ok(Ref::new(this)?.into_object())
}

/// What a replacement argument turned out to be.
enum Replacement {
    Literal(Ref),
    Template(Ref<Template>),
    Function(Ref),
}

#[pytype(
    name = "re.Pattern",
    static_name = PATTERN_TYPE,
    flags = HAVE_GC | DISALLOW_INSTANTIATION,
    weaklistoffset = offset_of!(Pattern, weakreflist) as isize,
    members = [
        ("flags", Py_T_INT, offset_of!(Pattern, flags), Py_READONLY, "The regex matching flags."),
        ("groups", Py_T_PYSSIZET, offset_of!(Pattern, groups), Py_READONLY, "The number of capturing groups in the pattern."),
    ],
)]
/// Compiled regular expression object.
impl Pattern {
    pub fn n_groups(&self) -> usize {
        self.groups.get() as usize
    }
    pub fn group_names(&self) -> &PyDictObject {
        &self.groupindex
    }
    pub fn name_of_group(&self, group: usize) -> Option<Ref> {
        self.indexgroup.get(group)
    }
    /// The subject, after the checks that apply to this pattern, and the bounds clipped to it.
    pub fn subject<'a>(&self, string: &'a PyObject, pos: isize, endpos: isize) -> PyResult<(Subject<'a>, usize, usize)> {
        let subject = Subject::of(string)?;
        match (subject.is_bytes(), self.is_bytes) {
            (true, Some(false)) => {
                return Err(raise!(TypeError, "cannot use a string pattern on a bytes-like object"));
            }
            (false, Some(true)) => {
                return Err(raise!(TypeError, "cannot use a bytes pattern on a string-like object"));
            }
            _ => {}
        }
        let len = subject.len();
        let clip = |bound: isize| (bound.max(0) as usize).min(len);
        Ok((subject, clip(pos), clip(endpos)))
    }
    #[inline]
    pub fn run(&self, kind: Kind, start: usize, end: usize) -> Run<'_> {
        Run { code: &self.code, start, end, kind, must_advance: false }
    }
    fn once(&self, kind: Kind, string: &PyObject, pos: isize, endpos: isize) -> PyResult<Option<Ref<Match>>> {
        let (subject, start, end) = self.subject(string, pos, endpos)?;
        let mut state = State::default();
        if !subject.run(self.run(kind, start, end), &mut state)? {
            return Ok(None);
        }
        Match::new(self, subject.object(), start, end, &state).map(Some)
    }
    /// Calls `each` for every match from left to right, until it says no.
    fn every(
        &self,
        subject: &Subject<'_>,
        start: usize,
        end: usize,
        mut each: impl FnMut(&State) -> PyResult<bool>,
    ) -> PyResult<()> {
        let mut state = State::default();
        let mut run = self.run(Kind::Search, start, end);
        while run.start <= end && subject.run(run, &mut state)? {
            run.must_advance = state.cursor.position == state.start;
            run.start = state.cursor.position;
            if !each(&state)? {
                break;
            }
        }
        Ok(())
    }
    /// Matches zero or more characters at the beginning of the string.
    #[method("($self, /, string, pos=0, endpos=sys.maxsize)", name = "match")]
    fn match_(&self, string: &PyObject, pos: Option<isize>, endpos: Option<isize>) -> PyResult<Option<Ref<Match>>> {
        self.once(Kind::Match, string, pos.unwrap_or(0), endpos.unwrap_or(isize::MAX))
    }
    /// Matches against all of the string.
    #[method("($self, /, string, pos=0, endpos=sys.maxsize)")]
    fn fullmatch(&self, string: &PyObject, pos: Option<isize>, endpos: Option<isize>) -> PyResult<Option<Ref<Match>>> {
        self.once(Kind::FullMatch, string, pos.unwrap_or(0), endpos.unwrap_or(isize::MAX))
    }
    /// Scans through the string for a match. None if there is none.
    #[method("($self, /, string, pos=0, endpos=sys.maxsize)")]
    fn search(&self, string: &PyObject, pos: Option<isize>, endpos: Option<isize>) -> PyResult<Option<Ref<Match>>> {
        self.once(Kind::Search, string, pos.unwrap_or(0), endpos.unwrap_or(isize::MAX))
    }
    /// The non-overlapping matches as a list.
    #[method("($self, /, string, pos=0, endpos=sys.maxsize)")]
    fn findall(&self, string: &PyObject, pos: Option<isize>, endpos: Option<isize>) -> PyResult {
        let (subject, start, end) = self.subject(string, pos.unwrap_or(0), endpos.unwrap_or(isize::MAX))?;
        let list = PyListObject::new();
        let n_groups = self.n_groups();
        let empty = subject.slice(0, 0);
        let group = |state: &State, group: usize| {
            group_span(state, group).map_or_else(|| empty.clone(), |(from, to)| subject.slice(from, to))
        };
        self.every(&subject, start, end, |state| {
            list.push(match n_groups {
                0 => subject.slice(state.start, state.cursor.position),
                1 => group(state, 0),
                _ => PyTupleObject::with_len_and(n_groups, |at| group(state, at)).into_object(),
            });
            Ok(true)
        })?;
        Ok(list.into_object())
    }
    /// An iterator over the non-overlapping matches.
    #[method("($self, /, string, pos=0, endpos=sys.maxsize)")]
    fn finditer(&self, string: &PyObject, pos: Option<isize>, endpos: Option<isize>) -> PyResult {
        let scanner = Scanner::new(self, string, pos.unwrap_or(0), endpos.unwrap_or(isize::MAX))?;
        let search = scanner.as_object().get_attr(identifier!("search"))?;
        adder_runtime::objects::iterobject::callable_iterator(&search, none())
    }
    #[method("($self, /, string, pos=0, endpos=sys.maxsize)")]
    fn scanner(&self, string: &PyObject, pos: Option<isize>, endpos: Option<isize>) -> PyResult {
        Ok(Scanner::new(self, string, pos.unwrap_or(0), endpos.unwrap_or(isize::MAX))?.into_object())
    }
    /// Splits the string by the occurrences of the pattern.
    #[method("($self, /, string, maxsplit=0)")]
    fn split(&self, string: &PyObject, maxsplit: Option<isize>) -> PyResult {
        let maxsplit = maxsplit.unwrap_or(0);
        let (subject, start, end) = self.subject(string, 0, isize::MAX)?;
        let list = PyListObject::new();
        if maxsplit < 0 {
            list.push(subject.slice(start, end));
            return Ok(list.into_object());
        }
        let (mut last, mut n_splits) = (start, 0);
        self.every(&subject, start, end, |state| {
            list.push(subject.slice(last, state.start));
            for group in 0..self.n_groups() {
                list.push(group_span(state, group).map_or_else(none_ref, |(from, to)| subject.slice(from, to)));
            }
            last = state.cursor.position;
            n_splits += 1;
            Ok(maxsplit == 0 || n_splits < maxsplit)
        })?;
        list.push(subject.slice(last, end));
        Ok(list.into_object())
    }
    fn replacement(&self, repl: &PyObject) -> PyResult<Replacement> {
        if repl.is_callable() {
            return Ok(Replacement::Function(repl.to_ref()));
        }
        let literal = match Subject::of(repl) {
            Ok(Subject::Str(text)) => {
                !adder_runtime::objects::unicodeobject::search::has_char(text.data(), u32::from(b'\\'))
            }
            Ok(Subject::Bytes(bytes)) => memchr::memchr(b'\\', bytes.as_bytes()).is_none(),
            Ok(Subject::View(_, view)) => memchr::memchr(b'\\', view.as_bytes()).is_none(),
            Err(raised) => {
                raised.clear();
                false
            }
        };
        if literal {
            return Ok(Replacement::Literal(repl.to_ref()));
        }
        let template = self.compile_template(repl)?;
        Ok(if template.has_groups() {
            Replacement::Template(template)
        } else {
            Replacement::Literal(template.literal.clone())
        })
    }
    /// `re._compile_template`, which keeps a cache and so wants hashable strings.
    pub fn compile_template(&self, repl: &PyObject) -> PyResult<Ref<Template>> {
        let function = adder_runtime::hooks::import_module("re")?.get_attr(identifier!("_compile_template"))?;
        let template = match function.call(&[self.as_object(), repl]) {
            Ok(template) => template,
            Err(raised) if raised.matches(adder_runtime::exceptions::exc::TypeError) => {
                let plain = match repl.downcast::<PyUnicodeObject>() {
                    Some(text) if !PyUnicodeObject::check_exact(repl) => text.to_exact().into_object(),
                    None if adder_runtime::objects::buffer::has_buffer(repl) && !PyBytesObject::check_exact(repl) => {
                        PyBytesObject::from_slice(Buffer::simple(repl)?.as_bytes()).into_object()
                    }
                    _ => return Err(raised),
                };
                raised.clear();
                function.call(&[self.as_object(), &plain])?
            }
            Err(raised) => return Err(raised),
        };
        template.downcast::<Template>().map_err(|other| {
            raise!(
                RuntimeError,
                "the result of compiling a replacement string is {}, not Template",
                other.ty().name()
            )
        })
    }
    fn substitute(&self, repl: &PyObject, string: &PyObject, count: isize) -> PyResult<(Ref, usize)> {
        let replacement = self.replacement(repl)?;
        let (subject, start, end) = self.subject(string, 0, isize::MAX)?;
        let mut parts: Vec<Ref> = Vec::new();
        let (mut last, mut n) = (start, 0usize);
        if count >= 0 {
            self.every(&subject, start, end, |state| {
                if last < state.start {
                    parts.push(subject.slice(last, state.start));
                }
                last = state.cursor.position;
                let item = match &replacement {
                    Replacement::Literal(literal) => literal.clone(),
                    Replacement::Template(template) => {
                        template.expand(&*Match::new(self, subject.object(), start, end, state)?)?
                    }
                    Replacement::Function(function) => {
                        let matched = Match::new(self, subject.object(), start, end, state)?;
                        function.call1(matched.as_object())?
                    }
                };
                if !is_none(&item) {
                    parts.push(item);
                }
                n += 1;
                Ok(count == 0 || n < count as usize)
            })?;
        }
        if n == 0 && (PyUnicodeObject::check_exact(string) || PyBytesObject::check_exact(string)) {
            return Ok((string.to_ref(), 0));
        }
        if last < end {
            parts.push(subject.slice(last, end));
        }
        Ok((join(parts, subject.is_bytes())?, n))
    }
    /// The string with the leftmost occurrences of the pattern replaced.
    #[method("($self, /, repl, string, count=0)")]
    fn sub(&self, repl: &PyObject, string: &PyObject, count: Option<isize>) -> PyResult {
        Ok(self.substitute(repl, string, count.unwrap_or(0))?.0)
    }
    /// As sub, with the number of replacements.
    #[method("($self, /, repl, string, count=0)")]
    fn subn(&self, repl: &PyObject, string: &PyObject, count: Option<isize>) -> PyResult<(Ref, usize)> {
        self.substitute(repl, string, count.unwrap_or(0))
    }
    #[method("($self, /)")]
    fn __copy__(&self) -> Ref<Pattern> {
        self.to_ref()
    }
    #[method("($self, memo, /)")]
    fn __deepcopy__(&self, memo: &PyObject) -> Ref<Pattern> {
        let _ = memo;
        self.to_ref()
    }
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &PyTypeObject, object: &PyObject) -> PyResult {
        new_generic_alias(cls.as_object(), object)
    }
    /// A dictionary mapping group names to group numbers.
    #[getter(name = "groupindex")]
    fn get_groupindex(&self) -> PyResult {
        adder_runtime::objects::mappingproxy::mapping_proxy(self.groupindex.as_object())
    }
    /// The pattern string from which the RE object was compiled.
    #[getter(name = "pattern")]
    fn get_pattern(&self) -> Ref {
        self.pattern.clone()
    }
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        let mut flags = self.flags.get();
        if self.is_bytes == Some(false) && flags & (4 | 32 | 256) == FLAG_UNICODE {
            flags &= !FLAG_UNICODE;
        }
        let mut names: Vec<String> = Vec::new();
        for (name, bit) in FLAG_NAMES {
            if flags & bit != 0 {
                names.push(name.to_string());
                flags &= !bit;
            }
        }
        if flags != 0 {
            names.push(format!("0x{flags:x}"));
        }
        let source: String = self.pattern.repr()?.to_string_lossy().chars().take(200).collect();
        Ok(if names.is_empty() {
            format!("re.compile({source})")
        } else {
            format!("re.compile({source}, {})", names.join("|"))
        })
    }
    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        let mut hasher = std::hash::DefaultHasher::new();
        self.code.hash(&mut hasher);
        let mixed = hasher.finish() as isize
            ^ self.pattern.hash()?
            ^ self.flags.get() as isize
            ^ isize::from(self.is_bytes == Some(true))
            ^ self.groups.get();
        Ok(if mixed == -1 { -2 } else { mixed })
    }
    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        let (true, Some(other)) = (matches!(op, CompareOp::Eq | CompareOp::Ne), other.downcast::<Pattern>()) else {
            return Ok(not_implemented().to_ref());
        };
        let equal = std::ptr::eq(self, other)
            || (self.flags.get() == other.flags.get()
                && self.is_bytes == other.is_bytes
                && self.groups.get() == other.groups.get()
                && self.code == other.code
                && self.pattern.eq(&other.pattern)?);
        Ok(py_bool(equal == (op == CompareOp::Eq)))
    }
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        for object in [self.groupindex.as_raw().cast(), self.indexgroup.as_raw().cast(), self.pattern.as_raw()] {
            let status = visitor.visit::<PyObject>(object);
            if status != 0 {
                return status;
            }
        }
        0
    }
}
