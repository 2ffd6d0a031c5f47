//! `pyexpat`: an XML parser with expat's interface: `ParserCreate` makes a parser, whose handlers are called as the document is read.
//!
//! `decode` turns bytes into text, `scan` (with `markup`, `subset`, `dtd`) text into events, `parser` events into calls. Tests:
//! CPython's `test_pyexpat`, `test_sax`, `test_xml_etree`, `test_minidom`, `test_plistlib`.

mod decode;
mod dtd;
mod markup;
mod parser;
mod scan;
mod subset;

use crate::util::ExceptionClass;
use adder_runtime::exceptions::exc;
use adder_runtime::prelude::*;

static ERROR: ExceptionClass = ExceptionClass::new("xml.parsers.expat.ExpatError", || exc::Exception);

/// Names and texts of the errors, in the order of their numbers from 1 on.
const ERRORS: [(&str, &str); 44] = [
    ("NO_MEMORY", "out of memory"),
    ("SYNTAX", "syntax error"),
    ("NO_ELEMENTS", "no element found"),
    ("INVALID_TOKEN", "not well-formed (invalid token)"),
    ("UNCLOSED_TOKEN", "unclosed token"),
    ("PARTIAL_CHAR", "partial character"),
    ("TAG_MISMATCH", "mismatched tag"),
    ("DUPLICATE_ATTRIBUTE", "duplicate attribute"),
    ("JUNK_AFTER_DOC_ELEMENT", "junk after document element"),
    ("PARAM_ENTITY_REF", "illegal parameter entity reference"),
    ("UNDEFINED_ENTITY", "undefined entity"),
    ("RECURSIVE_ENTITY_REF", "recursive entity reference"),
    ("ASYNC_ENTITY", "asynchronous entity"),
    ("BAD_CHAR_REF", "reference to invalid character number"),
    ("BINARY_ENTITY_REF", "reference to binary entity"),
    ("ATTRIBUTE_EXTERNAL_ENTITY_REF", "reference to external entity in attribute"),
    ("MISPLACED_XML_PI", "XML or text declaration not at start of entity"),
    ("UNKNOWN_ENCODING", "unknown encoding"),
    ("INCORRECT_ENCODING", "encoding specified in XML declaration is incorrect"),
    ("UNCLOSED_CDATA_SECTION", "unclosed CDATA section"),
    ("EXTERNAL_ENTITY_HANDLING", "error in processing external entity reference"),
    ("NOT_STANDALONE", "document is not standalone"),
    ("UNEXPECTED_STATE", "unexpected parser state - please send a bug report"),
    ("ENTITY_DECLARED_IN_PE", "entity declared in parameter entity"),
    ("FEATURE_REQUIRES_XML_DTD", "requested feature requires XML_DTD support in Expat"),
    ("CANT_CHANGE_FEATURE_ONCE_PARSING", "cannot change setting once parsing has begun"),
    ("UNBOUND_PREFIX", "unbound prefix"),
    ("UNDECLARING_PREFIX", "must not undeclare prefix"),
    ("INCOMPLETE_PE", "incomplete markup in parameter entity"),
    ("XML_DECL", "XML declaration not well-formed"),
    ("TEXT_DECL", "text declaration not well-formed"),
    ("PUBLICID", "illegal character(s) in public id"),
    ("SUSPENDED", "parser suspended"),
    ("NOT_SUSPENDED", "parser not suspended"),
    ("ABORTED", "parsing aborted"),
    ("FINISHED", "parsing finished"),
    ("SUSPEND_PE", "cannot suspend in external parameter entity"),
    ("RESERVED_PREFIX_XML", "reserved prefix (xml) must not be undeclared or bound to another namespace name"),
    ("RESERVED_PREFIX_XMLNS", "reserved prefix (xmlns) must not be declared or undeclared"),
    ("RESERVED_NAMESPACE_URI", "prefix must not be bound to one of the reserved namespace names"),
    ("INVALID_ARGUMENT", "invalid argument"),
    ("NO_BUFFER", "a successful prior call to function XML_GetBuffer is required"),
    ("AMPLIFICATION_LIMIT_BREACH", "limit on input amplification factor (from DTD and entities) breached"),
    ("NOT_STARTED", "parser not started"),
];

fn error_text(code: u32) -> Option<&'static str> {
    let index = usize::try_from(code).ok()?.checked_sub(1)?;
    ERRORS.get(index).map(|(_, text)| *text)
}

/// `ExpatError`, with where it is.
#[cold]
fn expat_error(code: u32, line: usize, column: usize) -> Raised {
    let text = error_text(code).unwrap_or("unknown error");
    let raised = ERROR.raise(format!("{text}: line {line}, column {column}"));
    let exception = raised.take();
    let fields = [("code", code as usize), ("offset", column), ("lineno", line)];
    for (name, value) in fields {
        let value = PyLongObject::from_usize(value);
        if let Err(raised) = exception.set_attr_str(name, value.as_object()) {
            return raised;
        }
    }
    adder_runtime::error::restore(exception)
}

fn submodule(module: &PyModuleObject, name: &str, doc: &str) -> PyResult<Ref<PyModuleObject>> {
    let full_name = format!("pyexpat.{name}");
    let made = PyModuleObject::new(&full_name)?;
    made.add("__doc__", PyUnicodeObject::from_str(doc).into_object())?;
    module.add(name, made.to_object())?;
    if let Some(modules) = adder_runtime::hooks::sys_attribute(identifier!("modules")) {
        modules.set_item(PyUnicodeObject::from_str(&full_name).as_object(), made.as_object())?;
    }
    Ok(made)
}

/// Python wrapper for Expat parser.
#[pymodule(name = "pyexpat", types = [])]
pub mod pyexpat {
    use super::*;

    #[pyconst]
    fn ExpatError() -> PyResult {
        ERROR.get()
    }
    #[pyconst]
    fn error() -> PyResult {
        ERROR.get()
    }
    #[pyconst]
    fn XMLParserType() -> Ref {
        parser::XMLPARSER_TYPE.to_object()
    }
    /// The version whose interface and limits this has.
    #[pyconst]
    fn EXPAT_VERSION() -> PyResult<&'static str> {
        Ok("expat_2.7.1")
    }
    #[pyconst]
    fn native_encoding() -> PyResult<&'static str> {
        Ok("UTF-8")
    }
    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        let int = |value: i64| PyLongObject::from_i64(value).into_object();
        let text = |text: &str| PyUnicodeObject::from_str(text).into_object();
        module.add("version_info", PyTupleObject::from_vec(vec![int(2), int(7), int(1)]).into_object())?;
        let features = [
            ("sizeof(XML_Char)", 1),
            ("sizeof(XML_LChar)", 1),
            ("XML_DTD", 0),
            ("XML_CONTEXT_BYTES", 1024),
            ("XML_NS", 0),
            ("XML_BLAP_MAX_AMP", 100),
            ("XML_BLAP_ACT_THRES", 8 << 20),
            ("XML_GE", 0),
        ];
        let features = features
            .iter()
            .map(|(name, value)| PyTupleObject::from_vec(vec![text(name), int(*value)]).into_object());
        module.add("features", PyListObject::from_vec(features.collect()).into_object())?;
        for (number, name) in ["NEVER", "UNLESS_STANDALONE", "ALWAYS"].iter().enumerate() {
            module.add(&format!("XML_PARAM_ENTITY_PARSING_{name}"), int(number as i64))?;
        }
        let errors = submodule(module, "errors", "Constants used to describe error conditions.")?;
        let (codes, messages) = (PyDictObject::new(), PyDictObject::new());
        for (index, (name, message)) in ERRORS.iter().enumerate() {
            let (code, message) = (int(index as i64 + 1), text(message));
            errors.add(&format!("XML_ERROR_{name}"), message.clone())?;
            codes.set(&message, &code)?;
            messages.set(&code, &message)?;
        }
        errors.add("codes", codes.into_object())?;
        errors.add("messages", messages.into_object())?;
        let model = submodule(module, "model", "Constants used to interpret content model information.")?;
        for (index, name) in ["EMPTY", "ANY", "MIXED", "NAME", "CHOICE", "SEQ"].iter().enumerate() {
            model.add(&format!("XML_CTYPE_{name}"), int(index as i64 + 1))?;
        }
        for (index, name) in ["NONE", "OPT", "REP", "PLUS"].iter().enumerate() {
            model.add(&format!("XML_CQUANT_{name}"), int(index as i64))?;
        }
        Ok(())
    }
    /// Return a new XML parser object.
    #[pyfunction("($module, /, encoding=None, namespace_separator=None, intern=<unrepresentable>)")]
    fn ParserCreate(
        encoding: Option<&str>,
        namespace_separator: Option<&str>,
        intern: Option<&PyObject>,
    ) -> PyResult<Ref<parser::XmlParser>> {
        parser::create(encoding, namespace_separator, intern)
    }
    /// Returns string error for given number.
    #[pyfunction("($module, code, /)")]
    fn ErrorString(code: i64) -> Option<&'static str> {
        u32::try_from(code).ok().and_then(error_text)
    }
}
