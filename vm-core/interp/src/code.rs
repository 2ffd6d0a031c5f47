//! Source text -> compiler -> code object, and the compiler's errors as SyntaxErrors.

use adder_compiler::bytecode::{self, Constant, PyStr};
use adder_compiler::{CompileError, CompileOpts, CompileWarning, Decoded, ErrorKind, Mode};
use adder_runtime::abi::*;
use adder_runtime::exceptions::{SyntaxErrorPlace, exc, raise_syntax_error};
use adder_runtime::objects::codeobject::{
    CodeData, CodeParts, ExceptionHandler, Location, decode_exception_table, encode_exception_table,
    encode_linetable,
};
use adder_runtime::prelude::*;
use std::collections::HashMap;

fn str_object(text: &PyStr) -> Ref<PyUnicodeObject> {
    match text.as_str() {
        Some(text) => PyUnicodeObject::from_str(text),
        None => PyUnicodeObject::from_wtf8(text.as_wtf8()),
    }
}

fn interned(text: &PyStr) -> Ref {
    PyUnicodeObject::intern(str_object(text)).into_object()
}

/// Strings that look like names are shared, as CPython does.
fn is_name_like(text: &PyStr) -> bool {
    text.as_wtf8()
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}

fn tuple_of_names(names: &[PyStr]) -> Ref<PyTupleObject> {
    PyTupleObject::from_vec(names.iter().map(interned).collect())
}

/// A constant as an object.
pub fn constant_object(constant: &Constant) -> PyResult {
    Unit::default().constant(constant)
}

/// The compiler's code as a Python code object. Equal constants, tuples of constants and line tables of all the code in it
/// are one object each.
pub fn code_object(code: &bytecode::CodeObject) -> PyResult<Ref<PyCodeObject>> {
    Unit::default().code(code)
}

/// What the code objects of one compilation share.
#[derive(Default)]
struct Unit<'a> {
    constants: HashMap<&'a Constant, Ref>,
    /// By the addresses of their items.
    tuples: HashMap<Vec<usize>, Ref<PyTupleObject>>,
    line_tables: HashMap<Vec<u8>, Ref<PyBytesObject>>,
}

impl<'a> Unit<'a> {
    fn constant(&mut self, constant: &'a Constant) -> PyResult {
        if let Constant::Code(code) = constant {
            return Ok(self.code(code)?.into_object());
        }
        if let Some(known) = self.constants.get(constant) {
            return Ok(known.clone());
        }
        let object = self.new_constant(constant)?;
        self.constants.insert(constant, object.clone());
        Ok(object)
    }

    fn new_constant(&mut self, constant: &'a Constant) -> PyResult {
        Ok(match constant {
            Constant::None => none_ref(),
            Constant::True => py_bool(true),
            Constant::False => py_bool(false),
            Constant::Ellipsis => ellipsis().to_ref(),
            Constant::Int(value) => PyLongObject::from_i64(*value).into_object(),
            Constant::BigInt(value) => PyLongObject::from_bigint(value)?.into_object(),
            Constant::Float(value) => PyFloatObject::from_f64(*value).into_object(),
            Constant::Complex(real, imag) => PyComplexObject::from_parts(*real, *imag).into_object(),
            Constant::Str(text) if is_name_like(text) => interned(text),
            Constant::Str(text) => str_object(text).into_object(),
            Constant::Bytes(bytes) => PyBytesObject::from_slice(bytes).into_object(),
            Constant::Tuple(items) => {
                let items = items.iter().map(|item| self.constant(item));
                PyTupleObject::from_vec(items.collect::<PyResult<_>>()?).into_object()
            }
            Constant::FrozenSet(items) => {
                let set = PySetObject::new_frozenset();
                for item in items {
                    set.add(&*self.constant(item)?)?;
                }
                set.into_object()
            }
            Constant::Slice(parts) => {
                let [start, stop, step] = &**parts;
                let parts = [self.constant(start)?, self.constant(stop)?, self.constant(step)?];
                PySliceObject::new_slice(Some(&parts[0]), Some(&parts[1]), Some(&parts[2]))?.into_object()
            }
            Constant::Code(code) => self.code(code)?.into_object(),
        })
    }

    fn constants(&mut self, constants: &'a [Constant]) -> PyResult<Ref<PyTupleObject>> {
        let items = constants.iter().map(|constant| self.constant(constant));
        let items = items.collect::<PyResult<Vec<_>>>()?;
        let addresses: Vec<usize> = items.iter().map(|item| item.as_raw() as usize).collect();
        let tuple = self.tuples.entry(addresses);
        Ok(tuple.or_insert_with(|| PyTupleObject::from_vec(items)).clone())
    }

    fn code(&mut self, code: &'a bytecode::CodeObject) -> PyResult<Ref<PyCodeObject>> {
        let ranges = crate::pylifecycle::config().code_debug_ranges;
        let kept = |number: i32| if ranges { number } else { -1 };
        let location = |(start, position): &(u32, bytecode::Position)| Location {
            start: *start,
            line: position.line,
            end_line: if ranges { position.end_line } else { position.line },
            col: kept(position.col),
            end_col: kept(position.end_col),
        };
        let handler = |entry: &bytecode::ExceptionEntry| ExceptionHandler {
            start: entry.start,
            end: entry.end,
            handler: entry.handler,
            depth: entry.depth,
            lasti: entry.lasti,
        };
        let locations: Vec<_> = code.locations.runs.iter().map(location).collect();
        let exceptions: Vec<_> = code.exception_table.iter().map(handler).collect();
        let n_words = code.instructions.len() as u32;
        PyCodeObject::from_parts(CodeParts {
            argcount: code.argcount as i32,
            posonlyargcount: code.posonlyargcount as i32,
            kwonlyargcount: code.kwonlyargcount as i32,
            stacksize: code.n_temps as i32,
            flags: code.flags as i32,
            firstlineno: code.firstlineno as i32,
            words: code.instructions.iter().map(|word| word.to_u64()).collect(),
            consts: self.constants(&code.consts)?,
            names: tuple_of_names(&code.names),
            localsplus_names: tuple_of_names(&code.localsplus_names),
            localsplus_kinds: code.localsplus_kinds.iter().map(|kind| kind.0).collect(),
            filename: interned(&code.filename),
            name: interned(&code.name),
            qualname: interned(&code.qualname),
            exceptiontable: PyBytesObject::from_slice(&encode_exception_table(&exceptions)),
            linetable: self.line_table(encode_linetable(&locations, code.firstlineno as i32, n_words)),
        })
    }

    fn line_table(&mut self, bytes: Vec<u8>) -> Ref<PyBytesObject> {
        let table = self.line_tables.entry(bytes);
        let table = table.or_insert_with_key(|bytes| PyBytesObject::from_slice(bytes));
        table.clone()
    }
}

/// The words of a code object without specialisations and caches.
pub fn pristine_words(data: &CodeData) -> Vec<u64> {
    pristine(data.words.iter().map(|word| word.get()).collect())
}

fn pristine(mut words: Vec<u64>) -> Vec<u64> {
    use adder_compiler::bytecode::{Ext, Opcode};
    let mut at = 0;
    while at < words.len() {
        let Some(opcode) = Opcode::from_u8(words[at] as u8) else {
            break;
        };
        let info = opcode.info();
        // Forms count their misses in a field that the instruction does not use.
        let kept = if info.x { !0xFF } else { !0xFFFF };
        words[at] = words[at] & kept | info.generic as u64;
        let n = info.ext.words();
        for index in 1..=n {
            let Some(word) = words.get_mut(at + index) else {
                break;
            };
            let kept = match (index, info.ext) {
                (1, Ext::Target(_) | Ext::Const(_) | Ext::Name(_) | Ext::SrcCount(_)) => 0xFFFF_FFFF,
                (1, Ext::Src(_)) => 0xFFFF,
                _ => 0,
            };
            *word &= kept;
        }
        at += 1 + n;
    }
    words
}

/// The conditional jumps of a code object: (jump, where it goes on, where it leads), as word indices.
pub fn branches(data: &CodeData) -> Vec<[u32; 3]> {
    use crate::eval::{WORDS, op};
    let mut branches = Vec::new();
    let mut at = 0;
    while at < data.words.len() {
        let word = data.words[at].get();
        let opcode = crate::tracing::generic_opcode(word as u8);
        let next = at + WORDS[opcode as usize] as usize;
        let behind = || data.words.get(at + 1).map_or(0, |word| word.get() as u32);
        let target = match opcode {
            op::COMPARE_JUMP | op::IS_JUMP | op::CONTAINS_JUMP | op::FOR_ITER => Some(behind()),
            opcode if crate::monitoring::is_branch(opcode) => Some((word >> 32) as u32),
            _ => None,
        };
        let target = target.or_else(|| Some(end_of_async_for(data, at as u32)? + 1));
        branches.extend(target.map(|target| [at as u32, next as u32, target]));
        at = next;
    }
    branches
}

/// The END_ASYNC_FOR of the loop whose item is there at a word: the CLEAR that drops the awaitable, which is the only
/// one under that handler. It is the loop's branch: the other way leads behind END_ASYNC_FOR.
pub fn end_of_async_for(data: &CodeData, index: u32) -> Option<u32> {
    use crate::eval::op;
    let opcode_at = |index: u32| Some(data.words.get(index as usize)?.get() as u8);
    let handler = data.handler_at(index)?.handler;
    (opcode_at(index)? == op::CLEAR && opcode_at(handler)? == op::END_ASYNC_FOR).then_some(handler)
}

/// The branch of the loop that ends with the END_ASYNC_FOR at a word.
pub fn branch_of_async_for(data: &CodeData, end: u32) -> Option<u32> {
    use crate::eval::WORDS;
    data.exceptions
        .iter()
        .filter(|entry| entry.handler == end)
        .find_map(|entry| {
            let mut at = entry.start;
            while at < entry.end {
                if end_of_async_for(data, at).is_some() {
                    return Some(at);
                }
                let word = data.words.get(at as usize)?.get();
                at += u32::from(WORDS[crate::tracing::generic_opcode(word as u8) as usize]);
            }
            None
        })
}

/// Whether code that anybody may have made can run: ValueError if not.
pub fn check_foreign(parts: &CodeParts) -> PyResult<()> {
    use adder_compiler::bytecode::admit::{Foreign, Kinds, admit, kind};
    let refuse = |message: &str| raise!(ValueError, "code that cannot run: {message}");
    let is_str = |object: &&PyObject| PyUnicodeObject::check(object);
    let texts = [&parts.filename, &parts.name, &parts.qualname];
    if !parts.names.as_slice().iter().all(is_str)
        || !parts.localsplus_names.as_slice().iter().all(is_str)
        || !texts.iter().all(|text| PyUnicodeObject::check(text))
    {
        return Err(refuse("a name is not a string"));
    }
    let count = |number: i32| {
        usize::try_from(number)
            .ok()
            .filter(|n| *n <= usize::from(u16::MAX))
    };
    let counts = [
        parts.argcount,
        parts.posonlyargcount,
        parts.kwonlyargcount,
        parts.stacksize,
    ];
    let [Some(n_args), Some(n_posonly), Some(n_kwonly), Some(n_temps)] = counts.map(count) else {
        return Err(refuse("a count is out of range"));
    };
    if n_posonly > n_args || parts.localsplus_names.len() != parts.localsplus_kinds.len() {
        return Err(refuse("counts that do not fit together"));
    }
    let words = pristine(parts.words.clone());
    if words != parts.words {
        return Err(refuse("caches that are not empty"));
    }
    let describe = |constant: &&PyObject| -> (Kinds, usize) {
        if is_none(constant) {
            return (kind::NONE, 0);
        }
        if PyUnicodeObject::check(constant) {
            return (kind::STR, 0);
        }
        if PyCodeObject::check_exact(constant) {
            return (kind::CODE, 0);
        }
        match constant.downcast_exact::<PyTupleObject>() {
            Some(names) if names.as_slice().iter().all(is_str) => (kind::NAMES, names.len()),
            Some(items) => (kind::TUPLE, items.len()),
            None => (kind::OTHER, 0),
        }
    };
    let exception = |entry: &ExceptionHandler| bytecode::ExceptionEntry {
        start: entry.start,
        end: entry.end,
        handler: entry.handler,
        depth: entry.depth,
        lasti: entry.lasti,
    };
    let flag = |flag: i32| usize::from(parts.flags & flag != 0);
    let instructions: Vec<_> = words.into_iter().map(bytecode::Instr::from_u64).collect();
    let consts: Vec<_> = parts.consts.as_slice().iter().map(describe).collect();
    let exceptions = decode_exception_table(parts.exceptiontable.as_bytes())
        .ok_or_else(|| raise!(ValueError, "code: co_exceptiontable is malformed"))?;
    let exceptions: Vec<_> = exceptions.iter().map(exception).collect();
    let foreign = Foreign {
        instructions: &instructions,
        consts: &consts,
        n_names: parts.names.len(),
        local_kinds: &parts.localsplus_kinds,
        n_temps,
        n_args: n_args + n_kwonly + flag(CO_VARARGS) + flag(CO_VARKEYWORDS),
        is_generator: parts.flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR) != 0,
        exceptions: &exceptions,
    };
    admit(&foreign).map_err(|message| refuse(&message))
}

/// Raises what the compiler found wrong.
pub fn raise_compile_error(error: &CompileError, filename: &PyObject) -> Raised {
    let ty: &PyTypeObject = match error.kind {
        ErrorKind::SyntaxError => exc::SyntaxError,
        ErrorKind::IndentationError => exc::IndentationError,
        ErrorKind::TabError => exc::TabError,
        ErrorKind::IncompleteInput => exc::_IncompleteInputError,
        ErrorKind::ValueError => return raise!(ValueError, "{}", error.message),
        ErrorKind::RecursionError => return raise!(RecursionError, "{}", error.message),
        ErrorKind::MemoryError => return raise!(MemoryError, "{}", error.message),
        ErrorKind::OverflowError => return raise!(OverflowError, "{}", error.message),
        ErrorKind::SystemError => return raise!(SystemError, "{}", error.message),
    };
    if error.lineno <= 0 && error.text.is_none() {
        let message = PyUnicodeObject::from_str(&error.message);
        if error.lineno < 0 {
            return adder_runtime::error::set_object(ty.as_object(), Some(message.as_object()));
        }
    }
    let text = error.text.as_deref().map(PyUnicodeObject::from_str);
    raise_syntax_error(
        ty,
        &error.message,
        &SyntaxErrorPlace {
            filename,
            lineno: error.lineno as isize,
            offset: error.offset as isize,
            end_lineno: error.end_lineno as isize,
            end_offset: error.end_offset as isize,
            text: text.as_ref().map(|text| text.as_object()),
        },
    )
}

/// Issues the compiler's warnings.
pub fn issue_warnings(warnings: &[CompileWarning], filename: &PyObject, source: &str) -> PyResult<()> {
    for warning in warnings {
        let line = usize::try_from(warning.pos.line).unwrap_or(0);
        let result =
            crate::warnings::warn_explicit(exc::SyntaxWarning, &warning.message, filename, line, None);
        if let Err(raised) = result {
            // A warning made an error is a SyntaxError at its place.
            raised.clear_if(exc::SyntaxWarning)?;
            // Those of the parser, which has the text, do not speak of the future then.
            const FUTURE: &str = " Such sequences will not work in the future.";
            let message = warning.message.replacen(FUTURE, "", 1);
            let shown = source.split_inclusive('\n').nth(line.wrapping_sub(1));
            let shown = shown.filter(|_| message.len() < warning.message.len());
            let text = shown.map(PyUnicodeObject::from_str);
            let place = SyntaxErrorPlace {
                filename,
                lineno: warning.pos.line as isize,
                offset: warning.pos.col as isize + 1,
                end_lineno: warning.pos.end_line as isize,
                // An escape is shown with its backslash and one character.
                end_offset: warning.pos.end_col as isize + if text.is_some() { 3 } else { 1 },
                text: text.as_ref().map(|text| text.as_object()),
            };
            return Err(raise_syntax_error(exc::SyntaxError, &message, &place));
        }
    }
    Ok(())
}

/// Compiles text that is already decoded.
pub fn compile_text(
    text: &str,
    filename: &PyObject,
    mode: Mode,
    opts: &CompileOpts,
) -> PyResult<Ref<PyCodeObject>> {
    let name = filename.str()?.to_string_lossy();
    match adder_compiler::compile_source(text, &name, mode, opts) {
        Ok(compiled) => {
            issue_warnings(&compiled.warnings, filename, text)?;
            code_object(&compiled.code)
        }
        Err(error) => {
            issue_warnings(&error.warnings, filename, text)?;
            Err(with_metadata(raise_compile_error(&error, filename), &error, text))
        }
    }
}

/// Gives a SyntaxError of the parser the text from the statement on, where the traceback module looks for misspelt
/// keywords: (line, column, text).
fn with_metadata(raised: Raised, error: &CompileError, text: &str) -> Raised {
    if !error.message.starts_with("invalid syntax") || !raised.matches(exc::SyntaxError) {
        return raised;
    }
    let exception = raised.take();
    let begins_statement =
        |line: &str| !line.starts_with([' ', '\t', '#', ')', ']', '}']) && !line.trim().is_empty();
    let lines = text.lines().take(usize::try_from(error.lineno).unwrap_or(0));
    // Statements before are shown, too, as far as the module looks: the error may be in what was to continue one.
    const LOOKED_AT: usize = 1000;
    let lines: Vec<&str> = lines.collect();
    let mut left = lines.iter().map(|line| line.len() + 1).sum::<usize>();
    let mut start = 0;
    for (index, line) in lines.iter().enumerate() {
        if begins_statement(line) {
            start = index + 1;
            if left <= LOOKED_AT {
                break;
            }
        }
        left -= line.len() + 1;
    }
    let line = PyLongObject::from_usize(start);
    let parts = vec![
        line.into_object(),
        PyLongObject::from_i64(0).into_object(),
        PyUnicodeObject::from_str(text).into_object(),
    ];
    let metadata = PyTupleObject::from_vec(parts);
    if let Err(raised) = exception.set_attr(identifier!("_metadata"), metadata.as_object()) {
        raised.clear();
    }
    adder_runtime::error::restore(exception)
}

/// As `decode_source`, of a file that is run: what is no UTF-8 is told with the file's name.
pub fn decode_file(source: &[u8], filename: &PyObject) -> PyResult<String> {
    // A file is read line by line: the first line with something wrong counts.
    if let Some(at) = source.iter().position(|byte| *byte == 0) {
        let start = source[..at]
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |newline| newline + 1);
        if adder_compiler::decode_source(&source[..start]).is_ok() {
            let line = source[..start].iter().filter(|byte| **byte == b'\n').count() as isize + 1;
            let text = PyUnicodeObject::from_str(&String::from_utf8_lossy(&source[start..at]));
            let place = SyntaxErrorPlace {
                filename,
                lineno: line,
                offset: 0,
                end_lineno: line,
                end_offset: 0,
                text: Some(text.as_object()),
            };
            let message = "source code cannot contain null bytes";
            return Err(raise_syntax_error(exc::SyntaxError, message, &place));
        }
    }
    match adder_compiler::decode_source(source) {
        Err(mut error) if error.message.starts_with("Non-UTF-8 code") => {
            let place = format!(" in file {} on line", filename.str()?.to_string_lossy());
            error.message = error.message.replacen(" on line", &place, 1);
            Err(raise_compile_error(&error, filename))
        }
        _ => decode_source(source, filename),
    }
}

/// The text of source bytes, by their coding comment.
pub fn decode_source(source: &[u8], filename: &PyObject) -> PyResult<String> {
    match adder_compiler::decode_source(source) {
        Ok(Decoded::Text(text)) => Ok(text.into_owned()),
        Ok(Decoded::OtherEncoding(encoding)) => {
            let codecs = adder_runtime::hooks::import_module("codecs")?;
            let encoding = PyUnicodeObject::from_str(&encoding);
            let bytes = PyBytesObject::from_slice(source);
            let decoded =
                codecs.call_method(identifier!("decode"), &[bytes.as_object(), encoding.as_object()]);
            match decoded {
                Ok(text) => Ok(text.str()?.to_str()?.to_owned()),
                Err(raised) => {
                    if raised.matches(exc::LookupError) {
                        raised.clear();
                        let message = format!("unknown encoding: {}", encoding.to_string_lossy());
                        let error = CompileError::plain(ErrorKind::SyntaxError, message);
                        return Err(raise_compile_error(&error, filename));
                    }
                    Err(raised)
                }
            }
        }
        Err(error) => Err(raise_compile_error(&error, filename)),
    }
}

/// A stage of the compiler as text: `ast` or `bytecode`.
pub fn dump(stage: &str, source: &str) -> Result<String, String> {
    match stage {
        "ast" => {
            let text = adder_compiler::parse::source::normalize_newlines(source);
            let parsed =
                adder_compiler::parse::parse(&text, Mode::Exec).map_err(|error| error.to_string())?;
            Ok(format!("{:#?}\n", parsed.ast))
        }
        "bytecode" => {
            let compiled =
                adder_compiler::compile_source(source, "<source>", Mode::Exec, &CompileOpts::default());
            Ok(bytecode::disasm::disassemble(
                &compiled.map_err(|error| error.to_string())?.code,
            ))
        }
        _ => Err(format!("no stage {stage:?} to dump: ast and bytecode are there")),
    }
}
