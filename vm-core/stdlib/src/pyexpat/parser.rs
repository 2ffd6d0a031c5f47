//! The type `XMLParserType`: events -> calls of handlers.

use super::decode::Decoder;
use super::dtd::Dtd;
use super::scan::*;
use super::{ERROR, expat_error};
use adder_runtime::memory::blank_header;
use adder_runtime::objects::buffer::Buffer;
use adder_runtime::prelude::*;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// The handlers, by their places in the table of each parser.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Handler {
    StartElement,
    EndElement,
    ProcessingInstruction,
    CharacterData,
    UnparsedEntityDecl,
    NotationDecl,
    StartNamespaceDecl,
    EndNamespaceDecl,
    Comment,
    StartCdataSection,
    EndCdataSection,
    Default,
    DefaultExpand,
    NotStandalone,
    ExternalEntityRef,
    StartDoctypeDecl,
    EndDoctypeDecl,
    EntityDecl,
    XmlDecl,
    ElementDecl,
    AttlistDecl,
    SkippedEntity,
}

const N_HANDLERS: usize = 22;
const DEFAULT_BUFFER_SIZE: usize = 8192;

#[repr(C)]
pub struct XmlParser {
    ob_base: PyObject,
    handlers: [ObjectCell; N_HANDLERS],
    /// Which of the two default handlers was assigned last.
    expands: Cell<bool>,
    intern: ObjectCell<PyDictObject>,
    scanner: RefCell<Scanner>,
    decoder: RefCell<Decoder>,
    base: RefCell<Option<String>>,
    ordered_attributes: Cell<bool>,
    specified_attributes: Cell<bool>,
    namespace_prefixes: Cell<bool>,
    parameter_entities: Cell<u32>,
    /// Character data that waits for more, when `buffer_text` is set.
    buffer: RefCell<String>,
    buffer_text: Cell<bool>,
    buffer_size: Cell<usize>,
    /// Tokens that are not whole are not looked at before there is much more.
    defers: Cell<bool>,
    n_waiting: Cell<usize>,
    error: Cell<u32>,
    finished: Cell<bool>,
    parsing: Cell<bool>,
    is_child: bool,
    /// What was given last, and the place of its start.
    context: ObjectCell<PyBytesObject>,
    context_start: Cell<usize>,
}

pub fn create(encoding: Option<&str>, separator: Option<&str>, intern: Option<&PyObject>) -> PyResult<Ref<XmlParser>> {
    if separator.is_some_and(|separator| separator.chars().count() > 1) {
        return Err(raise!(
            ValueError,
            "namespace_separator must be at most one character, omitted, or None"
        ));
    }
    let intern = match intern {
        None => Some(PyDictObject::new()),
        Some(intern) if is_none(intern) => None,
        Some(intern) => match intern.downcast::<PyDictObject>() {
            Some(intern) => Some(intern.to_ref()),
            None => return Err(raise!(TypeError, "intern must be a dictionary")),
        },
    };
    let scanner = Scanner::new(separator.map(str::to_owned), Rc::new(RefCell::new(Dtd::default())));
    XmlParser::with(scanner, encoding.map(str::to_owned), intern, false)
}

fn text_or_none(text: Option<&str>) -> Ref {
    text.map_or_else(none_ref, |text| PyUnicodeObject::from_str(text).into_object())
}

fn text(text: &str) -> Ref {
    PyUnicodeObject::from_str(text).into_object()
}

fn int(value: i64) -> Ref {
    PyLongObject::from_i64(value).into_object()
}

fn model_object(model: &Model) -> Ref {
    let children = model.children.iter().map(model_object).collect();
    PyTupleObject::from_vec(vec![
        int(model.kind.into()),
        int(model.quantifier.into()),
        text_or_none(model.name.as_deref()),
        PyTupleObject::from_vec(children).into_object(),
    ])
    .into_object()
}

impl XmlParser {
    fn with(
        scanner: Scanner,
        encoding: Option<String>,
        intern: Option<Ref<PyDictObject>>,
        is_child: bool,
    ) -> PyResult<Ref<XmlParser>> {
        Ref::new(XmlParser {
            ob_base: blank_header(),
            handlers: [const { ObjectCell::new(None) }; N_HANDLERS],
            expands: Cell::new(true),
            intern: ObjectCell::new(intern),
            scanner: RefCell::new(scanner),
            decoder: RefCell::new(Decoder::new(encoding)),
            base: RefCell::new(None),
            ordered_attributes: Cell::new(false),
            specified_attributes: Cell::new(false),
            namespace_prefixes: Cell::new(false),
            parameter_entities: Cell::new(0),
            buffer: RefCell::new(String::new()),
            buffer_text: Cell::new(false),
            buffer_size: Cell::new(DEFAULT_BUFFER_SIZE),
            defers: Cell::new(true),
            n_waiting: Cell::new(0),
            error: Cell::new(0),
            finished: Cell::new(false),
            parsing: Cell::new(false),
            is_child,
            context: ObjectCell::new(None),
            context_start: Cell::new(0),
        })
    }
    fn handler(&self, which: Handler) -> Option<Ref> {
        self.handlers[which as usize].get()
    }
    fn has(&self, which: Handler) -> bool {
        self.handlers[which as usize].is_some()
    }
    fn default_handler(&self) -> Option<Ref> {
        self.handler(if self.expands.get() { Handler::DefaultExpand } else { Handler::Default })
    }
    fn wishes(&self, standalone: bool) -> Wishes {
        Wishes {
            raw: self.has(Handler::Default) || self.has(Handler::DefaultExpand),
            expand: self.expands.get() || !self.has(Handler::Default) && !self.has(Handler::SkippedEntity),
            external_entities: self.has(Handler::ExternalEntityRef),
            parameter_entities: match self.parameter_entities.get() {
                0 => false,
                1 => !standalone,
                _ => true,
            },
            namespace_prefixes: self.namespace_prefixes.get(),
        }
    }
    /// A name, the same object each time where there is a dict for that.
    fn name(&self, name: &str) -> PyResult {
        let object = text(name);
        match self.intern.get() {
            Some(intern) => Ok(intern.set_default(&object, &object)?.0),
            None => Ok(object),
        }
    }
    fn optional_name(&self, name: Option<&str>) -> PyResult {
        name.map_or_else(|| Ok(none_ref()), |name| self.name(name))
    }
    fn base_object(&self) -> Ref {
        text_or_none(self.base.borrow().as_deref())
    }
    fn call(&self, handler: &Ref, arguments: &[Ref]) -> PyResult {
        let arguments: Vec<&PyObject> = arguments.iter().map(|argument| &**argument).collect();
        handler.call(&arguments)
    }

    fn flush_text(&self) -> PyResult<()> {
        let waiting = self.buffer.take();
        if waiting.is_empty() {
            return Ok(());
        }
        match self.handler(Handler::CharacterData) {
            Some(handler) => handler.call1(&text(&waiting)).map(drop),
            None => Ok(()),
        }
    }
    fn character_data(&self, data: &str, handler: &Ref) -> PyResult<()> {
        if !self.buffer_text.get() {
            return handler.call1(&text(data)).map(drop);
        }
        if self.buffer.borrow().len() + data.len() > self.buffer_size.get() {
            self.flush_text()?;
        }
        match self.handler(Handler::CharacterData) {
            Some(handler) if data.len() > self.buffer_size.get() => handler.call1(&text(data)).map(drop),
            _ => {
                self.buffer.borrow_mut().push_str(data);
                Ok(())
            }
        }
    }
    fn attributes(&self, attributes: &Attributes) -> PyResult {
        let n = if self.specified_attributes.get() { attributes.n_specified } else { attributes.pairs.len() };
        let pairs = &attributes.pairs[..n];
        if self.ordered_attributes.get() {
            let list = PyListObject::with_capacity(n * 2);
            for (name, value) in pairs {
                list.push(self.name(name)?);
                list.push(text(value));
            }
            return Ok(list.into_object());
        }
        let dict = PyDictObject::new();
        for (name, value) in pairs {
            dict.set(&*self.name(name)?, &text(value))?;
        }
        Ok(dict.into_object())
    }
    /// The handler of an event, and what it is called with.
    fn arguments(&self, event: &Event) -> PyResult<(Handler, Vec<Ref>)> {
        let optional = |text: &Option<String>| text_or_none(text.as_deref());
        Ok(match event {
            Event::Start { name, attributes } => {
                (Handler::StartElement, vec![self.name(name)?, self.attributes(attributes)?])
            }
            Event::End { name } => (Handler::EndElement, vec![self.name(name)?]),
            Event::Text(data) => (Handler::CharacterData, vec![text(data)]),
            Event::ProcessingInstruction { target, data } => {
                (Handler::ProcessingInstruction, vec![self.name(target)?, text(data)])
            }
            Event::Comment(data) => (Handler::Comment, vec![text(data)]),
            Event::StartCdata => (Handler::StartCdataSection, vec![]),
            Event::EndCdata => (Handler::EndCdataSection, vec![]),
            Event::StartNamespace { prefix, uri } => (
                Handler::StartNamespaceDecl,
                vec![self.optional_name(prefix.as_deref())?, self.optional_name(uri.as_deref())?],
            ),
            Event::EndNamespace { prefix } => {
                (Handler::EndNamespaceDecl, vec![self.optional_name(prefix.as_deref())?])
            }
            Event::XmlDecl { version, encoding, standalone } => {
                (Handler::XmlDecl, vec![optional(version), optional(encoding), int((*standalone).into())])
            }
            Event::StartDoctype { name, system, public, has_subset, .. } => (
                Handler::StartDoctypeDecl,
                vec![self.name(name)?, optional(system), optional(public), int((*has_subset).into())],
            ),
            Event::EndDoctype => (Handler::EndDoctypeDecl, vec![]),
            Event::EntityDecl { name, is_parameter, value, system, public } => (
                Handler::EntityDecl,
                vec![
                    self.name(name)?,
                    int((*is_parameter).into()),
                    optional(value),
                    self.base_object(),
                    optional(system),
                    optional(public),
                    none_ref(),
                ],
            ),
            Event::UnparsedEntity { name, system, public, notation } if self.has(Handler::UnparsedEntityDecl) => (
                Handler::UnparsedEntityDecl,
                vec![self.name(name)?, self.base_object(), optional(system), optional(public), self.name(notation)?],
            ),
            Event::UnparsedEntity { name, system, public, notation } => (
                Handler::EntityDecl,
                vec![
                    self.name(name)?,
                    int(0),
                    none_ref(),
                    self.base_object(),
                    optional(system),
                    optional(public),
                    self.name(notation)?,
                ],
            ),
            Event::Notation { name, system, public } => (
                Handler::NotationDecl,
                vec![self.name(name)?, self.base_object(), optional(system), optional(public)],
            ),
            Event::ElementDecl { name, model } => (Handler::ElementDecl, vec![self.name(name)?, model_object(model)]),
            Event::AttlistDecl { element, attribute, kind, default, required } => (
                Handler::AttlistDecl,
                vec![
                    self.name(element)?,
                    self.name(attribute)?,
                    text(kind),
                    optional(default),
                    int((*required).into()),
                ],
            ),
            Event::ExternalEntity { context, system, public } => (
                Handler::ExternalEntityRef,
                vec![optional(context), self.base_object(), optional(system), optional(public)],
            ),
            Event::SkippedEntity { name, is_parameter } => {
                (Handler::SkippedEntity, vec![self.name(name)?, int((*is_parameter).into())])
            }
            Event::NotStandalone => (Handler::NotStandalone, vec![]),
            Event::Other => (Handler::Default, vec![]),
        })
    }
    fn handle(&self, item: &Item) -> PyResult<()> {
        if let Event::Text(data) = &item.event
            && let Some(handler) = self.handler(Handler::CharacterData)
        {
            return self.character_data(data, &handler);
        }
        let is_other = matches!(item.event, Event::Other);
        if !is_other {
            let (which, arguments) = self.arguments(&item.event)?;
            if self.has(which) {
                self.flush_text()?;
            }
            if let Some(handler) = self.handler(which) {
                let result = self.call(&handler, &arguments)?;
                let must_agree = match which {
                    Handler::ExternalEntityRef => Some(EXTERNAL_ENTITY_HANDLING),
                    Handler::NotStandalone => Some(NOT_STANDALONE),
                    _ => None,
                };
                return match must_agree {
                    Some(error) if result.index()?.is_zero() => Err(self.fail(error)),
                    _ => Ok(()),
                };
            }
        }
        let Some(handler) = self.default_handler() else { return Ok(()) };
        if let Event::StartDoctype { tokens, .. } = &item.event {
            self.flush_text()?;
            for token in tokens {
                handler.call1(&text(token))?;
            }
            return Ok(());
        }
        if item.raw.is_empty() {
            return Ok(());
        }
        self.flush_text()?;
        handler.call1(&text(&item.raw)).map(drop)
    }
    #[cold]
    fn fail(&self, error: XmlError) -> Raised {
        if error == TOO_DEEP {
            return raise!(RecursionError, "maximum recursion depth exceeded in a content model");
        }
        self.error.set(error.0);
        let at = self.scanner.borrow().at;
        expat_error(error.0, at.line, at.column)
    }
    fn handle_all(&self) -> PyResult<()> {
        loop {
            let next = {
                let mut scanner = self.scanner.borrow_mut();
                let standalone = scanner.dtd.borrow().standalone;
                scanner.wishes = self.wishes(standalone);
                scanner.next()
            };
            match next {
                Ok(Some(item)) => self.handle(&item)?,
                Ok(None) => return self.flush_text(),
                Err(error) => {
                    self.flush_text()?;
                    return Err(self.fail(error));
                }
            }
        }
    }
    /// Reads on with more bytes.
    fn feed(&self, bytes: &[u8], is_final: bool) -> PyResult<()> {
        if self.error.get() != 0 {
            return Err(self.fail(XmlError(self.error.get())));
        }
        if self.finished.get() {
            return Err(self.fail(FINISHED));
        }
        if self.parsing.replace(true) {
            return Err(raise!(RuntimeError, "the parser is in use"));
        }
        self.finished.set(is_final);
        let result = self.feed_inner(bytes, is_final);
        self.parsing.set(false);
        self.context.set(None);
        if result.is_err() && self.error.get() == 0 {
            // A handler has failed: what follows is not read.
            self.finished.set(true);
        }
        result
    }
    fn feed_inner(&self, bytes: &[u8], is_final: bool) -> PyResult<()> {
        let (text, wrong) = self.decoder.borrow_mut().decode(bytes, is_final)?;
        self.context.set(Some(PyBytesObject::from_slice(bytes)));
        let waiting = {
            let mut scanner = self.scanner.borrow_mut();
            self.context_start.set(scanner.n_input());
            scanner.longest_text = self.decoder.borrow().converts().then_some(1024);
            scanner.feed(&text, is_final && wrong.is_none());
            scanner.n_unread()
        };
        if self.defers.get() && !is_final && wrong.is_none() && waiting < 2 * self.n_waiting.get() {
            return Ok(());
        }
        self.handle_all()?;
        // A token that was not whole is tried again when there is much more of it.
        let unread = self.scanner.borrow().n_unread();
        self.n_waiting.set(if unread == waiting { unread } else { 0 });
        match wrong {
            Some(error) => {
                self.scanner.borrow_mut().fail_here();
                Err(self.fail(error))
            }
            None => Ok(()),
        }
    }
    fn set_handler(&self, which: Handler, value: Option<&PyObject>) -> PyResult<()> {
        let Some(value) = value else {
            return Err(raise!(RuntimeError, "Cannot delete attribute"));
        };
        if which == Handler::CharacterData {
            self.flush_text()?;
        }
        match which {
            Handler::Default => self.expands.set(false),
            Handler::DefaultExpand => self.expands.set(true),
            _ => {}
        }
        self.handlers[which as usize].set(Some(value).filter(|value| !is_none(value)).map(PyObject::to_ref));
        Ok(())
    }
    fn setting_error(&self, message: &str) -> Raised {
        ERROR.raise(message)
    }
}

macro_rules! handlers {
    ($($variant:ident $name:literal $get:ident $set:ident,)*) => {
        #[pymethods(part = HANDLERS)]
        impl XmlParser {
            $(
                #[getter(name = $name)]
                fn $get(&self) -> Option<Ref> {
                    self.handler(Handler::$variant)
                }
                #[setter(name = $name)]
                fn $set(&self, value: Option<&PyObject>) -> PyResult<()> {
                    self.set_handler(Handler::$variant, value)
                }
            )*
        }
    };
}

handlers! {
    StartElement "StartElementHandler" get_start_element set_start_element,
    EndElement "EndElementHandler" get_end_element set_end_element,
    ProcessingInstruction "ProcessingInstructionHandler" get_pi set_pi,
    CharacterData "CharacterDataHandler" get_character_data set_character_data,
    UnparsedEntityDecl "UnparsedEntityDeclHandler" get_unparsed_entity set_unparsed_entity,
    NotationDecl "NotationDeclHandler" get_notation set_notation,
    StartNamespaceDecl "StartNamespaceDeclHandler" get_start_namespace set_start_namespace,
    EndNamespaceDecl "EndNamespaceDeclHandler" get_end_namespace set_end_namespace,
    Comment "CommentHandler" get_comment set_comment,
    StartCdataSection "StartCdataSectionHandler" get_start_cdata set_start_cdata,
    EndCdataSection "EndCdataSectionHandler" get_end_cdata set_end_cdata,
    Default "DefaultHandler" get_default set_default,
    DefaultExpand "DefaultHandlerExpand" get_default_expand set_default_expand,
    NotStandalone "NotStandaloneHandler" get_not_standalone set_not_standalone,
    ExternalEntityRef "ExternalEntityRefHandler" get_external_entity set_external_entity,
    StartDoctypeDecl "StartDoctypeDeclHandler" get_start_doctype set_start_doctype,
    EndDoctypeDecl "EndDoctypeDeclHandler" get_end_doctype set_end_doctype,
    EntityDecl "EntityDeclHandler" get_entity_decl set_entity_decl,
    XmlDecl "XmlDeclHandler" get_xml_decl set_xml_decl,
    ElementDecl "ElementDeclHandler" get_element_decl set_element_decl,
    AttlistDecl "AttlistDeclHandler" get_attlist_decl set_attlist_decl,
    SkippedEntity "SkippedEntityHandler" get_skipped_entity set_skipped_entity,
}

fn truth(value: Option<&PyObject>) -> PyResult<bool> {
    match value {
        Some(value) => value.is_true(),
        None => Err(raise!(RuntimeError, "Cannot delete attribute")),
    }
}

#[pytype(
    name = "pyexpat.xmlparser",
    static_name = XMLPARSER_TYPE,
    flags = HAVE_GC | DISALLOW_INSTANTIATION,
    parts = [HANDLERS],
)]
/// XML parser
impl XmlParser {
    #[slot]
    fn tp_traverse(&self, visitor: &Visitor) -> c_int {
        for handler in &self.handlers {
            let status = handler.visit(visitor);
            if status != 0 {
                return status;
            }
        }
        self.intern.visit(visitor)
    }
    #[slot]
    fn tp_clear(&self) {
        for handler in &self.handlers {
            handler.set(None);
        }
        self.intern.set(None);
    }
    /// Parse XML data.
    ///
    /// 'isfinal' should be true at end of input.
    #[method("($self, data, isfinal=False, /)")]
    fn Parse(&self, data: &PyObject, isfinal: bool) -> PyResult<i64> {
        if let Some(text) = data.downcast::<PyUnicodeObject>() {
            let text = text.to_str()?;
            self.decoder.borrow_mut().force_utf8();
            self.feed(text.as_bytes(), isfinal)?;
        } else {
            let buffer = Buffer::simple(data)?;
            self.feed(buffer.as_bytes(), isfinal)?;
        }
        Ok(1)
    }
    /// Parse XML data from file-like object.
    #[method("($self, file, /)")]
    fn ParseFile(&self, file: &PyObject) -> PyResult<i64> {
        const BLOCK: i64 = 2048;
        let Some(read) = file.get_attr_opt(identifier!("read"))? else {
            return Err(raise!(TypeError, "argument must have 'read' attribute"));
        };
        loop {
            let block = read.call1(PyLongObject::from_i64(BLOCK).as_object())?;
            let Some(bytes) = block.as_object().downcast::<PyBytesObject>() else {
                let found = block.ty().full_name();
                return Err(raise!(TypeError, "read() did not return a bytes object (type={found})"));
            };
            self.feed(bytes.as_bytes(), bytes.as_bytes().is_empty())?;
            if bytes.as_bytes().is_empty() {
                return Ok(1);
            }
        }
    }
    /// Set the base URL for the parser.
    #[method("($self, base, /)")]
    fn SetBase(&self, base: &str) {
        *self.base.borrow_mut() = Some(base.to_owned());
    }
    /// Return base URL string for the parser.
    #[method("($self, /)")]
    fn GetBase(&self) -> Ref {
        self.base_object()
    }
    /// Return the untranslated text of the input that caused the current event.
    ///
    /// If the event was generated by a large amount of text (such as a start tag for an element with many attributes), not all of
    /// the text may be available.
    #[method("($self, /)")]
    fn GetInputContext(&self) -> Option<Ref<PyBytesObject>> {
        let context = self.context.get().filter(|_| self.parsing.get())?;
        let start = self.scanner.borrow().at.byte.checked_sub(self.context_start.get())?;
        context.as_bytes().get(start..).map(PyBytesObject::from_slice)
    }
    /// Create a parser for parsing an external entity based on the information passed to the ExternalEntityRefHandler.
    #[method("($self, context, encoding=<unrepresentable>, /)")]
    fn ExternalEntityParserCreate(&self, context: Option<&str>, encoding: Option<&str>) -> PyResult<Ref<XmlParser>> {
        let scanner = self.scanner.borrow().external(context);
        let child = XmlParser::with(scanner, encoding.map(str::to_owned), self.intern.get(), true)?;
        for (theirs, ours) in child.handlers.iter().zip(&self.handlers) {
            theirs.set(ours.get());
        }
        child.expands.set(self.expands.get());
        child.buffer_text.set(self.buffer_text.get());
        child.buffer_size.set(self.buffer_size.get());
        child.ordered_attributes.set(self.ordered_attributes.get());
        child.specified_attributes.set(self.specified_attributes.get());
        child.namespace_prefixes.set(self.namespace_prefixes.get());
        child.parameter_entities.set(self.parameter_entities.get());
        child.defers.set(self.defers.get());
        child.base.replace(self.base.borrow().clone());
        Ok(child)
    }
    /// Controls parsing of parameter entities (including the external DTD subset).
    ///
    /// Returns whether setting the flag was successful.
    #[method("($self, flag, /)")]
    fn SetParamEntityParsing(&self, flag: i32) -> i64 {
        let possible = !self.scanner.borrow().has_started() && (0..=2).contains(&flag);
        if possible {
            self.parameter_entities.set(flag as u32);
        }
        possible.into()
    }
    /// Allows the application to provide an artificial external subset if one is not specified as part of the document instance.
    #[method("($self, flag=True, /)")]
    fn UseForeignDTD(&self, flag: Option<bool>) -> PyResult<()> {
        let mut scanner = self.scanner.borrow_mut();
        if scanner.has_started() {
            let at = scanner.at;
            return Err(expat_error(CANT_CHANGE_FEATURE.0, at.line, at.column));
        }
        scanner.foreign_dtd = flag.unwrap_or(true);
        Ok(())
    }
    /// Enable/Disable reparse deferral; enabled by default.
    #[method("($self, enabled, /)")]
    fn SetReparseDeferralEnabled(&self, enabled: bool) {
        self.defers.set(enabled);
        if !enabled {
            self.n_waiting.set(0);
        }
    }
    /// Retrieve reparse deferral enabled status.
    #[method("($self, /)")]
    fn GetReparseDeferralEnabled(&self) -> bool {
        self.defers.get()
    }
    /// Sets the number of output bytes needed to activate protection against billion laughs attacks.
    #[method("($self, threshold, /)")]
    fn SetBillionLaughsAttackProtectionActivationThreshold(&self, threshold: usize) -> PyResult<()> {
        if self.is_child {
            return Err(self.setting_error("parser must be a root parser"));
        }
        self.scanner.borrow_mut().limit_activation = threshold;
        Ok(())
    }
    /// Sets the maximum tolerated amplification factor for protection against billion laughs attacks.
    #[method("($self, max_factor, /)")]
    fn SetBillionLaughsAttackProtectionMaximumAmplification(&self, max_factor: f64) -> PyResult<()> {
        if self.is_child {
            return Err(self.setting_error("parser must be a root parser"));
        }
        if max_factor.is_nan() || max_factor < 1.0 {
            return Err(self.setting_error("'max_factor' must be at least 1.0"));
        }
        self.scanner.borrow_mut().limit_factor = max_factor as f32;
        Ok(())
    }
    #[getter]
    fn intern(&self) -> Option<Ref<PyDictObject>> {
        self.intern.get()
    }
    #[getter]
    fn buffer_text(&self) -> bool {
        self.buffer_text.get()
    }
    #[setter]
    fn set_buffer_text(&self, value: Option<&PyObject>) -> PyResult<()> {
        let wanted = truth(value)?;
        if !wanted {
            self.flush_text()?;
        }
        self.buffer_text.set(wanted);
        Ok(())
    }
    #[getter]
    fn buffer_size(&self) -> usize {
        self.buffer_size.get()
    }
    #[setter]
    fn set_buffer_size(&self, value: Option<&PyObject>) -> PyResult<()> {
        let Some(value) = value else {
            return Err(raise!(RuntimeError, "Cannot delete attribute"));
        };
        let Some(size) = value.downcast::<PyLongObject>() else {
            return Err(raise!(TypeError, "buffer_size must be an integer"));
        };
        let size = size.as_i64()?;
        if size <= 0 {
            return Err(raise!(ValueError, "buffer_size must be greater than zero"));
        }
        if size > i32::MAX.into() {
            return Err(raise!(ValueError, "buffer_size must not be greater than {}", i32::MAX));
        }
        if size as usize != self.buffer_size.get() {
            self.flush_text()?;
            self.buffer_size.set(size as usize);
        }
        Ok(())
    }
    #[getter]
    fn buffer_used(&self) -> usize {
        self.buffer.borrow().len()
    }
    #[getter]
    fn namespace_prefixes(&self) -> bool {
        self.namespace_prefixes.get()
    }
    #[setter]
    fn set_namespace_prefixes(&self, value: Option<&PyObject>) -> PyResult<()> {
        self.namespace_prefixes.set(truth(value)?);
        Ok(())
    }
    #[getter]
    fn ordered_attributes(&self) -> bool {
        self.ordered_attributes.get()
    }
    #[setter]
    fn set_ordered_attributes(&self, value: Option<&PyObject>) -> PyResult<()> {
        self.ordered_attributes.set(truth(value)?);
        Ok(())
    }
    #[getter]
    fn specified_attributes(&self) -> bool {
        self.specified_attributes.get()
    }
    #[setter]
    fn set_specified_attributes(&self, value: Option<&PyObject>) -> PyResult<()> {
        self.specified_attributes.set(truth(value)?);
        Ok(())
    }
    #[getter]
    fn ErrorCode(&self) -> u32 {
        self.error.get()
    }
    #[getter]
    fn ErrorLineNumber(&self) -> usize {
        self.scanner.borrow().at.line
    }
    #[getter]
    fn ErrorColumnNumber(&self) -> usize {
        self.scanner.borrow().at.column
    }
    #[getter]
    fn ErrorByteIndex(&self) -> usize {
        self.scanner.borrow().at.byte
    }
    #[getter]
    fn CurrentLineNumber(&self) -> usize {
        self.scanner.borrow().at.line
    }
    #[getter]
    fn CurrentColumnNumber(&self) -> usize {
        self.scanner.borrow().at.column
    }
    #[getter]
    fn CurrentByteIndex(&self) -> usize {
        self.scanner.borrow().at.byte
    }
}
