//! `types.CodeType`: attributes, `replace`, `co_lines`, `co_positions`, equality.

use super::*;
use std::hash::{Hash, Hasher};

/// Byte offsets that Python sees count two a word, so that `lasti // 2` is a word's index as in CPython.
pub const BYTES_PER_WORD: usize = 2;

#[pytype(
    name = "code",
    static_name = PyCode_Type,
    flags = DEFAULT,
    weaklistoffset = WEAKLIST_OFFSET,
    members = [
        ("co_argcount", Py_T_INT, offset_of!(PyCodeObject, co_argcount), Py_READONLY),
        ("co_posonlyargcount", Py_T_INT, offset_of!(PyCodeObject, co_posonlyargcount), Py_READONLY),
        ("co_kwonlyargcount", Py_T_INT, offset_of!(PyCodeObject, co_kwonlyargcount), Py_READONLY),
        ("co_stacksize", Py_T_INT, offset_of!(PyCodeObject, co_stacksize), Py_READONLY),
        ("co_flags", Py_T_INT, offset_of!(PyCodeObject, co_flags), Py_READONLY),
        ("co_names", _Py_T_OBJECT, offset_of!(PyCodeObject, co_names), Py_READONLY),
        ("co_filename", _Py_T_OBJECT, offset_of!(PyCodeObject, co_filename), Py_READONLY),
        ("co_name", _Py_T_OBJECT, offset_of!(PyCodeObject, co_name), Py_READONLY),
        ("co_qualname", _Py_T_OBJECT, offset_of!(PyCodeObject, co_qualname), Py_READONLY),
        ("co_firstlineno", Py_T_INT, offset_of!(PyCodeObject, co_firstlineno), Py_READONLY),
        ("co_linetable", _Py_T_OBJECT, offset_of!(PyCodeObject, co_linetable), Py_READONLY),
        ("co_exceptiontable", _Py_T_OBJECT, offset_of!(PyCodeObject, co_exceptiontable), Py_READONLY),
        ("co_nlocals", Py_T_INT, offset_of!(PyCodeObject, co_nlocals), Py_READONLY),
        ("co_consts", _Py_T_OBJECT, offset_of!(PyCodeObject, co_consts), Py_READONLY)
    ]
)]
/// The compiled form of a module, class body, function or expression.
impl PyCodeObject {
    #[new(
        "(argcount, posonlyargcount, kwonlyargcount, nlocals, stacksize, flags, codestring, constants, names, varnames, filename, name, qualname, firstlineno, linetable, exceptiontable, freevars=(), cellvars=(), /)"
    )]
    #[allow(clippy::too_many_arguments)]
    fn py_new(
        cls: &PyTypeObject,
        argcount: i32,
        posonlyargcount: i32,
        kwonlyargcount: i32,
        nlocals: i32,
        stacksize: i32,
        flags: i32,
        codestring: &PyBytesObject,
        constants: &PyTupleObject,
        names: &PyTupleObject,
        varnames: &PyTupleObject,
        filename: &PyUnicodeObject,
        name: &PyUnicodeObject,
        qualname: &PyUnicodeObject,
        firstlineno: i32,
        linetable: &PyBytesObject,
        exceptiontable: &PyBytesObject,
        freevars: Option<&PyTupleObject>,
        cellvars: Option<&PyTupleObject>,
    ) -> PyResult<Ref<PyCodeObject>> {
        let _ = cls;
        if [argcount, posonlyargcount, kwonlyargcount]
            .iter()
            .any(|count| *count < 0)
        {
            return Err(raise!(ValueError, "code: argcount must not be negative"));
        }
        if nlocals as usize != varnames.len() {
            return Err(raise!(ValueError, "code: co_nlocals != len(co_varnames)"));
        }
        let empty = PyTupleObject::empty();
        let (localsplus_names, localsplus_kinds) =
            localsplus_of(varnames, cellvars.unwrap_or(&empty), freevars.unwrap_or(&empty))?;
        PyCodeObject::from_foreign_parts(CodeParts {
            argcount,
            posonlyargcount,
            kwonlyargcount,
            stacksize,
            flags,
            firstlineno,
            words: words_of(codestring.as_bytes())?,
            consts: constants.to_ref(),
            names: names.to_ref(),
            localsplus_names,
            localsplus_kinds,
            filename: filename.to_object(),
            name: name.to_object(),
            qualname: qualname.to_object(),
            exceptiontable: exceptiontable.to_ref(),
            linetable: linetable.to_ref(),
        })
    }

    #[slot]
    unsafe fn tp_dealloc(this: *mut PyCodeObject) {
        // SAFETY: the slot's contract.
        unsafe { dealloc_code(this) }
    }

    #[slot]
    fn tp_repr(&self) -> Ref<PyUnicodeObject> {
        PyUnicodeObject::from_string(format!(
            "<code object {} at {:p}, file \"{}\", line {}>",
            self.name().to_string_lossy(),
            self.as_ptr(),
            self.filename().to_string_lossy(),
            self.co_firstlineno.get()
        ))
    }

    #[slot]
    fn tp_hash(&self) -> PyResult<Py_hash_t> {
        let mut hasher = std::collections::hash_map::DefaultHasher::new();
        self.name().hash().hash(&mut hasher);
        self.data().pristine_words().hash(&mut hasher);
        (
            self.co_argcount.get(),
            self.co_posonlyargcount.get(),
            self.co_kwonlyargcount.get(),
            self.co_flags.get(),
            self.co_firstlineno.get(),
        )
            .hash(&mut hasher);
        Ok(match hasher.finish() as Py_hash_t {
            -1 => -2,
            hash => hash,
        })
    }

    #[slot]
    fn tp_richcompare(&self, other: &PyObject, op: CompareOp) -> PyResult {
        let Some(other) = other.downcast::<PyCodeObject>() else {
            return Ok(not_implemented().to_ref());
        };
        match op {
            CompareOp::Eq => Ok(py_bool(self.equals(other)?)),
            CompareOp::Ne => Ok(py_bool(!self.equals(other)?)),
            _ => Ok(not_implemented().to_ref()),
        }
    }

    /// The instruction words as bytes.
    #[getter]
    fn co_code(&self) -> Ref<PyBytesObject> {
        let words = self.data().pristine_words();
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        PyBytesObject::from_slice(&bytes)
    }
    /// The instruction words as they are, specialised.
    #[getter]
    fn _co_code_adaptive(&self) -> Ref<PyBytesObject> {
        let bytes: Vec<u8> = self
            .data()
            .words
            .iter()
            .flat_map(|word| word.get().to_le_bytes())
            .collect();
        PyBytesObject::from_slice(&bytes)
    }
    /// Lines as pairs of bytes, as before Python 3.10.
    #[getter]
    fn co_lnotab(&self) -> PyResult<Ref<PyBytesObject>> {
        crate::hooks::warn(
            crate::exceptions::exc::DeprecationWarning,
            "co_lnotab is deprecated, use co_lines instead.",
            1,
        )?;
        let line = self.co_firstlineno.get();
        let bytes = encode_lnotab(self.data().locations(), line, BYTES_PER_WORD as u32);
        Ok(PyBytesObject::from_slice(&bytes))
    }
    #[getter]
    fn co_varnames(&self) -> Ref<PyTupleObject> {
        self.names_of_kind(CO_FAST_LOCAL)
    }
    #[getter]
    fn co_cellvars(&self) -> Ref<PyTupleObject> {
        self.names_of_kind(CO_FAST_CELL)
    }
    #[getter]
    fn co_freevars(&self) -> Ref<PyTupleObject> {
        self.names_of_kind(CO_FAST_FREE)
    }

    /// An iterator over (start, end, line) of the runs of words with one line.
    #[method]
    fn co_lines(&self) -> PyResult {
        let data = self.data();
        let end_of_all = data.words.len() as u32;
        let list = PyListObject::new();
        let mut runs = data.locations().iter().peekable();
        while let Some(run) = runs.next() {
            while runs.next_if(|next| next.line == run.line).is_some() {}
            let end = runs.peek().map_or(end_of_all, |next| next.start);
            let line = if run.line < 0 { none_ref() } else { int(run.line) };
            let bounds = [run.start, end].map(|at| int((at as usize * BYTES_PER_WORD) as i32));
            let [start, end] = bounds;
            list.push(PyTupleObject::from_vec(vec![start, end, line]).into_object());
        }
        list.as_object().iter()
    }

    /// An iterator over (line, end_line, column, end_column) of each word.
    #[method]
    fn co_positions(&self) -> PyResult {
        let data = self.data();
        if data.locations().is_empty() {
            return PyListObject::new().as_object().iter();
        }
        let list = PyListObject::with_capacity(data.words.len());
        let number = |value: i32| if value < 0 { none_ref() } else { int(value) };
        let mut runs = data.locations().iter().peekable();
        let mut current = &Location::NONE;
        for index in 0..data.words.len() as u32 {
            while let Some(run) = runs.next_if(|run| run.start <= index) {
                current = run;
            }
            let parts = [current.line, current.end_line, current.col, current.end_col].map(number);
            list.push(PyTupleObject::from_vec(parts.into()).into_object());
        }
        list.as_object().iter()
    }

    /// An iterator over (jump, where it goes on, where it leads) of the conditional jumps.
    #[method]
    fn co_branches(&self) -> PyResult {
        let list = PyListObject::new();
        for branch in self.data().branches() {
            let offsets = branch.map(|at| int((at as usize * BYTES_PER_WORD) as i32));
            list.push(PyTupleObject::from_vec(offsets.into()).into_object());
        }
        list.as_object().iter()
    }

    /// The name of a local variable by its number.
    #[method("($self, /, oparg)")]
    fn _varname_from_oparg(&self, oparg: isize) -> PyResult {
        match self.localsplus_names().as_slice().get(oparg as usize) {
            Some(name) => Ok(name.to_ref()),
            None => Err(raise!(IndexError, "tuple index out of range")),
        }
    }

    /// A copy of the code object with some attributes changed.
    #[method("($self, /, **changes)")]
    fn replace(&self, changes: Option<Ref<PyDictObject>>) -> PyResult<Ref<PyCodeObject>> {
        let mut parts = self.to_parts();
        let mut varnames = self.co_varnames();
        let mut cellvars = self.co_cellvars();
        let mut freevars = self.co_freevars();
        let mut new_locals = false;
        let mut n_locals = None;
        let Some(changes) = changes else {
            return PyCodeObject::from_parts(parts);
        };
        let mut position = 0;
        while let Some((name, value, _)) = changes.next_entry(&mut position) {
            // SAFETY: keywords are str.
            let name = unsafe { name.cast_unchecked::<PyUnicodeObject>() }.to_string_lossy();
            match name.as_str() {
                "co_argcount" => parts.argcount = count(value)?,
                "co_posonlyargcount" => parts.posonlyargcount = count(value)?,
                "co_kwonlyargcount" => parts.kwonlyargcount = count(value)?,
                "co_stacksize" => parts.stacksize = count(value)?,
                "co_flags" => parts.flags = count(value)?,
                "co_firstlineno" => parts.firstlineno = value.index()?.as_i64()? as i32,
                "co_nlocals" => n_locals = Some(count(value)?),
                "co_code" => parts.words = words_of(bytes(value, &name)?.as_bytes())?,
                "co_consts" => parts.consts = tuple(value, &name)?,
                "co_names" => parts.names = tuple(value, &name)?,
                "co_varnames" => (varnames, new_locals) = (tuple(value, &name)?, true),
                "co_cellvars" => (cellvars, new_locals) = (tuple(value, &name)?, true),
                "co_freevars" => (freevars, new_locals) = (tuple(value, &name)?, true),
                "co_filename" => parts.filename = string(value, &name)?,
                "co_name" => parts.name = string(value, &name)?,
                "co_qualname" => parts.qualname = string(value, &name)?,
                "co_linetable" => parts.linetable = bytes(value, &name)?.to_ref(),
                "co_exceptiontable" => parts.exceptiontable = bytes(value, &name)?.to_ref(),
                _ => {
                    return Err(raise!(
                        TypeError,
                        "replace() got an unexpected keyword argument '{name}'"
                    ));
                }
            }
        }
        if n_locals.is_some_and(|n_locals| n_locals as usize != varnames.len()) {
            return Err(raise!(ValueError, "code: co_nlocals != len(co_varnames)"));
        }
        if new_locals {
            (parts.localsplus_names, parts.localsplus_kinds) =
                localsplus_of(&varnames, &cellvars, &freevars)?;
        }
        PyCodeObject::from_foreign_parts(parts)
    }

    #[method("($self, /, **changes)", name = "__replace__")]
    fn dunder_replace(&self, changes: Option<Ref<PyDictObject>>) -> PyResult<Ref<PyCodeObject>> {
        self.replace(changes)
    }
}

impl PyCodeObject {
    /// The names of the `localsplus` entries with a `CO_FAST_*` bit.
    pub fn names_of_kind(&self, bit: u8) -> Ref<PyTupleObject> {
        let names = self.localsplus_names().as_slice().iter().zip(&self.data().kinds);
        PyTupleObject::from_vec(
            names
                .filter(|(_, kind)| **kind & bit != 0)
                .map(|(name, _)| name.to_ref())
                .collect(),
        )
    }

    fn equals(&self, other: &PyCodeObject) -> PyResult<bool> {
        let numbers = |code: &PyCodeObject| {
            [
                code.co_argcount.get(),
                code.co_posonlyargcount.get(),
                code.co_kwonlyargcount.get(),
                code.co_flags.get(),
                code.co_firstlineno.get(),
            ]
        };
        if numbers(self) != numbers(other)
            || !self.name().eq(other.name())
            || self.data().pristine_words() != other.data().pristine_words()
            || self.data().locations() != other.data().locations()
            || self.data().exceptions != other.data().exceptions
        {
            return Ok(false);
        }
        Ok(self.names().as_object().eq(other.names().as_object())?
            && self
                .localsplus_names()
                .as_object()
                .eq(other.localsplus_names().as_object())?
            && constants_equal(self.consts().as_object(), other.consts().as_object())?)
    }
}

/// Equality of constants: of the same type, and floats by their bits.
fn constants_equal(left: &PyObject, right: &PyObject) -> PyResult<bool> {
    if left.is(right) {
        return Ok(true);
    }
    if !std::ptr::eq(left.ty(), right.ty()) {
        return Ok(false);
    }
    if let (Some(left), Some(right)) = (
        left.downcast::<PyTupleObject>(),
        right.downcast::<PyTupleObject>(),
    ) {
        if left.len() != right.len() {
            return Ok(false);
        }
        for (left, right) in left.as_slice().iter().zip(right.as_slice()) {
            if !constants_equal(left, right)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    if let (Some(left), Some(right)) = (
        left.downcast::<PyFloatObject>(),
        right.downcast::<PyFloatObject>(),
    ) {
        return Ok(left.value().to_bits() == right.value().to_bits());
    }
    left.eq(right)
}

fn int(value: i32) -> Ref {
    PyLongObject::from_i64(i64::from(value)).into_object()
}

fn count(value: &PyObject) -> PyResult<i32> {
    match i32::try_from(value.index()?.as_i64()?) {
        Ok(value) if value >= 0 => Ok(value),
        _ => Err(raise!(ValueError, "code: a count is negative or too large")),
    }
}

fn wrong(value: &PyObject, name: &str, wanted: &str) -> Raised {
    raise!(
        TypeError,
        "replace() argument '{name}' must be {wanted}, not {}",
        value.ty().name()
    )
}

fn bytes<'a>(value: &'a PyObject, name: &str) -> PyResult<&'a PyBytesObject> {
    value
        .downcast::<PyBytesObject>()
        .ok_or_else(|| wrong(value, name, "bytes"))
}

fn tuple(value: &PyObject, name: &str) -> PyResult<Ref<PyTupleObject>> {
    value
        .downcast::<PyTupleObject>()
        .map(|value| value.to_ref())
        .ok_or_else(|| wrong(value, name, "tuple"))
}

fn string(value: &PyObject, name: &str) -> PyResult {
    value
        .downcast::<PyUnicodeObject>()
        .map(|value| value.to_object())
        .ok_or_else(|| wrong(value, name, "str"))
}

fn words_of(bytes: &[u8]) -> PyResult<Vec<u64>> {
    if !bytes.len().is_multiple_of(8) || bytes.is_empty() {
        return Err(raise!(ValueError, "code: co_code is malformed"));
    }
    Ok(bytes
        .chunks_exact(8)
        .map(|word| u64::from_le_bytes(word.try_into().unwrap_or_default()))
        .collect())
}

/// `localsplus`: local variables, cells that are no local variables, free variables.
fn localsplus_of(
    varnames: &PyTupleObject,
    cellvars: &PyTupleObject,
    freevars: &PyTupleObject,
) -> PyResult<(Ref<PyTupleObject>, Vec<u8>)> {
    let (mut names, mut kinds): (Vec<Ref>, Vec<u8>) = Default::default();
    for name in varnames.as_slice() {
        names.push(name.to_ref());
        kinds.push(CO_FAST_LOCAL);
    }
    for name in cellvars.as_slice() {
        let mut known = None;
        for (index, other) in names.iter().enumerate() {
            if other.eq(name)? {
                known = Some(index);
            }
        }
        match known {
            Some(index) => kinds[index] |= CO_FAST_CELL,
            None => {
                names.push(name.to_ref());
                kinds.push(CO_FAST_CELL);
            }
        }
    }
    for name in freevars.as_slice() {
        names.push(name.to_ref());
        kinds.push(CO_FAST_FREE);
    }
    Ok((PyTupleObject::from_vec(names), kinds))
}

/// `co_lnotab`: pairs of bytes, how many bytes of code further and how many lines further.
fn encode_lnotab(runs: &[Location], first_line: i32, bytes_per_word: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut at, mut line) = (0, first_line);
    for run in runs.iter().filter(|run| run.line >= 0) {
        if run.line == line {
            continue;
        }
        let mut code_delta = run.start * bytes_per_word - at;
        let mut line_delta = run.line.wrapping_sub(line);
        while code_delta > 255 {
            bytes.extend([255, 0]);
            code_delta -= 255;
        }
        while !(-128..=127).contains(&line_delta) {
            let step = line_delta.clamp(-128, 127);
            bytes.extend([code_delta as u8, step as i8 as u8]);
            line_delta -= step;
            code_delta = 0;
        }
        bytes.extend([code_delta as u8, line_delta as i8 as u8]);
        (at, line) = (run.start * bytes_per_word, run.line);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lnotab_takes_steps_of_a_byte() {
        let place = |start, line| Location {
            start,
            line,
            ..Location::NONE
        };
        let runs = [place(0, 3), place(4, -1), place(30, 4), place(700, 90_000)];
        assert_eq!(
            encode_lnotab(&runs, 3, 2),
            [60, 1, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 65, 127]
                .into_iter()
                .chain(std::iter::repeat_n([0u8, 127], 707).flatten())
                .chain([0, 80])
                .collect::<Vec<u8>>()
        );
    }
}
