//! Subjects of a match: the three kinds of `str` and bytes-like objects, as they are in memory -> characters for the engine.
//!
//! A pattern may keep the engine busy for ever, so it asks between its steps whether a signal or another thread waits.

use adder_runtime::objects::buffer::Buffer;
use adder_runtime::objects::unicodeobject::StrData;
use adder_runtime::prelude::*;
use adder_runtime::thread::eval_breaker_set;
use rustpython_sre_engine::{Request, State, Stopped, StrDrive, StringCursor};

/// Characters of `N` bytes each, in the machine's order. The engine's cursor is made and moved by its own drive over bytes,
/// which counts bytes; positions are put right after each step.
#[derive(Clone, Copy)]
pub struct Wide<'a, const N: usize>(&'a [u8]);

/// Whether a signal's handler raised.
#[cold]
#[inline(never)]
fn look_after_others() -> bool {
    adder_runtime::hooks::run_pending_signals().is_err()
}

impl<const N: usize> Wide<'_, N> {
    #[inline(always)]
    fn load(cursor: &StringCursor) -> u32 {
        let mut at = *cursor;
        let mut code = <&[u8]>::peek(&at);
        for byte in 1..N {
            <&[u8]>::skip(&mut at, 1);
            code |= <&[u8]>::peek(&at) << (8 * byte);
        }
        code
    }
}

const _: () = assert!(cfg!(target_endian = "little"));

impl<const N: usize> StrDrive for Wide<'_, N> {
    #[inline(always)]
    fn count(&self) -> usize {
        self.0.len() / N
    }
    #[inline(always)]
    fn interrupted(&self) -> bool {
        eval_breaker_set() && look_after_others()
    }
    #[inline(always)]
    fn create_cursor(&self, n: usize) -> StringCursor {
        let mut cursor = self.0.create_cursor(n * N);
        cursor.position = n;
        cursor
    }
    #[inline(always)]
    fn adjust_cursor(&self, cursor: &mut StringCursor, n: usize) {
        *cursor = self.create_cursor(n);
    }
    #[inline(always)]
    fn advance(cursor: &mut StringCursor) -> u32 {
        let code = Self::load(cursor);
        Self::skip(cursor, 1);
        code
    }
    #[inline(always)]
    fn peek(cursor: &StringCursor) -> u32 {
        Self::load(cursor)
    }
    #[inline(always)]
    fn skip(cursor: &mut StringCursor, n: usize) {
        let position = cursor.position + n;
        <&[u8]>::skip(cursor, n * N);
        cursor.position = position;
    }
    #[inline(always)]
    fn back_advance(cursor: &mut StringCursor) -> u32 {
        Self::back_skip(cursor, 1);
        Self::load(cursor)
    }
    #[inline(always)]
    fn back_peek(cursor: &StringCursor) -> u32 {
        let mut at = *cursor;
        Self::back_skip(&mut at, 1);
        Self::load(&at)
    }
    #[inline(always)]
    fn back_skip(cursor: &mut StringCursor, n: usize) {
        let position = cursor.position - n;
        cursor.position = n * N;
        <&[u8]>::back_skip(cursor, n * N);
        cursor.position = position;
    }
}

/// What is searched: the object, and a view of it when it is neither `str` nor `bytes`.
pub enum Subject<'a> {
    Str(&'a PyUnicodeObject),
    Bytes(&'a PyBytesObject),
    View(&'a PyObject, Buffer),
}

impl<'a> Subject<'a> {
    pub fn of(object: &'a PyObject) -> PyResult<Subject<'a>> {
        if let Some(text) = object.downcast::<PyUnicodeObject>() {
            return Ok(Subject::Str(text));
        }
        if let Some(bytes) = object.downcast::<PyBytesObject>() {
            return Ok(Subject::Bytes(bytes));
        }
        if !adder_runtime::objects::buffer::has_buffer(object) {
            return Err(raise!(
                TypeError,
                "expected string or bytes-like object, got '{}'",
                object.ty().name()
            ));
        }
        Ok(Subject::View(object, Buffer::simple(object)?))
    }
    pub fn is_bytes(&self) -> bool {
        !matches!(self, Subject::Str(_))
    }
    pub fn object(&self) -> &'a PyObject {
        match self {
            Subject::Str(text) => text.as_object(),
            Subject::Bytes(bytes) => bytes.as_object(),
            Subject::View(object, _) => object,
        }
    }
    pub fn len(&self) -> usize {
        match self {
            Subject::Str(text) => text.len(),
            Subject::Bytes(bytes) => bytes.as_bytes().len(),
            Subject::View(_, view) => view.len(),
        }
    }
    /// A part as a new `str` or `bytes`.
    pub fn slice(&self, start: usize, end: usize) -> Ref {
        let end = end.max(start);
        let bytes = match self {
            Subject::Str(text) => return text.substring(start, end).into_object(),
            Subject::Bytes(bytes) => {
                let whole = bytes.as_bytes();
                if start == 0 && end == whole.len() && PyBytesObject::check_exact(bytes.as_object()) {
                    return bytes.to_object();
                }
                whole
            }
            Subject::View(_, view) => view.as_bytes(),
        };
        // A resized buffer (a match is asked late) gives what is still there.
        let end = end.min(bytes.len());
        PyBytesObject::from_slice(&bytes[start.min(end)..end]).into_object()
    }
    /// Runs the engine once. Positions are in characters.
    pub fn run(&self, how: Run<'_>, state: &mut State) -> PyResult<bool> {
        let mut how = how;
        if how.start > how.end {
            if how.kind != Kind::Match {
                return Ok(false);
            }
            how.end = how.start;
        }
        // What is left of the state when the engine stops is reset before it is used.
        self.go(how, state).map_err(|stopped| match stopped {
            Stopped::OutOfMemory => adder_runtime::memory::no_memory(),
            Stopped::Interrupted => Raised::assume(),
        })
    }
    fn go(&self, how: Run<'_>, state: &mut State) -> Result<bool, Stopped> {
        match self {
            Subject::Str(text) => {
                let raw = text.raw_bytes();
                match text.data() {
                    StrData::Latin1(_) => how.go(Wide::<1>(raw), state),
                    StrData::Ucs2(_) => how.go(Wide::<2>(raw), state),
                    StrData::Ucs4(_) => how.go(Wide::<4>(raw), state),
                }
            }
            Subject::Bytes(bytes) => how.go(Wide::<1>(bytes.as_bytes()), state),
            Subject::View(_, view) => how.go(Wide::<1>(view.as_bytes()), state),
        }
    }
}

/// Where and how the engine looks.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    pub code: &'a [u32],
    pub start: usize,
    pub end: usize,
    pub kind: Kind,
    pub must_advance: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Match,
    FullMatch,
    Search,
}

impl Run<'_> {
    #[inline(always)]
    fn go<S: StrDrive>(self, string: S, state: &mut State) -> Result<bool, Stopped> {
        let mut request =
            Request::new(string, self.start, self.end, self.code, self.kind == Kind::FullMatch);
        request.must_advance = self.must_advance;
        state.reset(&request, request.start);
        match self.kind {
            Kind::Search => state.search(request),
            _ => state.py_match(&request),
        }
    }
}

/// The span of a capturing group, counted from 0, that took part.
pub fn group_span(state: &State, group: usize) -> Option<(usize, usize)> {
    let (from, to) = state.marks.get(group);
    if from.is_some() && to.is_some() { Some((from.unwrap(), to.unwrap())) } else { None }
}
