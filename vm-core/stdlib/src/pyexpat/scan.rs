//! Text of an XML document, in pieces -> events, one at a time, as expat has them.
//!
//! What is given so far is read as far as whole tokens go; the rest waits for more. Entities that the document declares are read
//! from a stack of texts. `markup` reads tags and `subset` the declarations of a document type. Nothing here knows of Python.

use super::dtd::Dtd;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// expat's numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct XmlError(pub u32);

pub const SYNTAX: XmlError = XmlError(2);
pub const NO_ELEMENTS: XmlError = XmlError(3);
pub const INVALID_TOKEN: XmlError = XmlError(4);
pub const UNCLOSED_TOKEN: XmlError = XmlError(5);
pub const PARTIAL_CHAR: XmlError = XmlError(6);
pub const TAG_MISMATCH: XmlError = XmlError(7);
pub const DUPLICATE_ATTRIBUTE: XmlError = XmlError(8);
pub const JUNK_AFTER_DOC_ELEMENT: XmlError = XmlError(9);
pub const PARAM_ENTITY_REF: XmlError = XmlError(10);
pub const UNDEFINED_ENTITY: XmlError = XmlError(11);
pub const RECURSIVE_ENTITY_REF: XmlError = XmlError(12);
pub const ASYNC_ENTITY: XmlError = XmlError(13);
pub const BAD_CHAR_REF: XmlError = XmlError(14);
pub const BINARY_ENTITY_REF: XmlError = XmlError(15);
pub const ATTRIBUTE_EXTERNAL_ENTITY_REF: XmlError = XmlError(16);
pub const MISPLACED_XML_PI: XmlError = XmlError(17);
pub const UNCLOSED_CDATA_SECTION: XmlError = XmlError(20);
pub const EXTERNAL_ENTITY_HANDLING: XmlError = XmlError(21);
pub const NOT_STANDALONE: XmlError = XmlError(22);
pub const CANT_CHANGE_FEATURE: XmlError = XmlError(26);
pub const UNBOUND_PREFIX: XmlError = XmlError(27);
pub const UNDECLARING_PREFIX: XmlError = XmlError(28);
pub const XML_DECL: XmlError = XmlError(30);
pub const TEXT_DECL: XmlError = XmlError(31);
pub const PUBLICID: XmlError = XmlError(32);
pub const FINISHED: XmlError = XmlError(36);
pub const RESERVED_PREFIX_XML: XmlError = XmlError(38);
pub const RESERVED_PREFIX_XMLNS: XmlError = XmlError(39);
pub const RESERVED_NAMESPACE_URI: XmlError = XmlError(40);
pub const AMPLIFICATION_LIMIT_BREACH: XmlError = XmlError(43);

/// Not of expat: a content model nests deeper than is read.
pub const TOO_DEEP: XmlError = XmlError(u32::MAX);

pub type Scanned<T> = Result<T, XmlError>;

#[derive(Debug)]
pub struct Attributes {
    pub pairs: Vec<(String, String)>,
    /// How many of the pairs the document has itself; the rest are defaults.
    pub n_specified: usize,
}

/// A content model: kind, quantifier, name, children.
#[derive(Debug)]
pub struct Model {
    pub kind: u32,
    pub quantifier: u32,
    pub name: Option<String>,
    pub children: Vec<Model>,
}

#[derive(Debug)]
pub enum Event {
    Start { name: String, attributes: Attributes },
    End { name: String },
    Text(String),
    ProcessingInstruction { target: String, data: String },
    Comment(String),
    StartCdata,
    EndCdata,
    StartNamespace { prefix: Option<String>, uri: Option<String> },
    EndNamespace { prefix: Option<String> },
    XmlDecl { version: Option<String>, encoding: Option<String>, standalone: i32 },
    /// Its raw text comes in tokens.
    StartDoctype { name: String, system: Option<String>, public: Option<String>, has_subset: bool, tokens: Vec<String> },
    EndDoctype,
    EntityDecl { name: String, is_parameter: bool, value: Option<String>, system: Option<String>, public: Option<String> },
    UnparsedEntity { name: String, system: Option<String>, public: Option<String>, notation: String },
    Notation { name: String, system: Option<String>, public: Option<String> },
    ElementDecl { name: String, model: Model },
    AttlistDecl { element: String, attribute: String, kind: String, default: Option<String>, required: bool },
    ExternalEntity { context: Option<String>, system: Option<String>, public: Option<String> },
    SkippedEntity { name: String, is_parameter: bool },
    NotStandalone,
    /// Text that has no event of its own.
    Other,
}

/// An event with the text that it stands for, when that is wanted.
pub struct Item {
    pub event: Event,
    pub raw: String,
    at: Position,
}

/// What the receiver wants, as of now.
#[derive(Clone, Copy, Default)]
pub struct Wishes {
    pub raw: bool,
    /// Internal entities are read, rather than reported.
    pub expand: bool,
    pub external_entities: bool,
    pub parameter_entities: bool,
    pub namespace_prefixes: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// Nothing was read yet: an XML declaration may come.
    Start,
    Prolog,
    /// In the `[…]` of a document type, or in an external one.
    Subset,
    AfterSubset,
    Content,
    Epilog,
}

pub(super) struct Source {
    pub text: Vec<u8>,
    pub pos: usize,
    /// The entity whose text it is; none for the document.
    entity: Option<String>,
    depth: usize,
}

#[derive(Clone, Copy, Default)]
pub struct Position {
    pub line: usize,
    pub column: usize,
    pub byte: usize,
}

pub(super) struct OpenElement {
    pub raw_name: String,
    pub name: String,
    pub n_namespaces: usize,
}

pub struct Scanner {
    pub(super) sources: Vec<Source>,
    pub(super) state: State,
    pub(super) queue: VecDeque<Item>,
    pub(super) open: Vec<OpenElement>,
    pub(super) namespaces: Vec<(String, Option<String>)>,
    pub separator: Option<String>,
    pub dtd: Rc<RefCell<Dtd>>,
    pub wishes: Wishes,
    /// An external entity rather than a document.
    pub(super) is_external: bool,
    pub foreign_dtd: bool,
    /// System and public id of the part of the document type that is elsewhere.
    pub(super) external_subset: Option<(Option<String>, Option<String>)>,
    in_cdata: bool,
    is_final: bool,
    /// How much text comes at once from a document that had to be converted.
    pub longest_text: Option<usize>,
    /// Where in a tag its error is.
    pub(super) wrong_at: usize,
    pub has_doctype: bool,
    /// Where reading stands, and where the event began that was given last.
    now: Position,
    pub at: Position,
    n_input: usize,
    n_expanded: usize,
    pub limit_activation: usize,
    pub limit_factor: f32,
}

/// What a search in the text came to.
pub(super) enum Found<T> {
    Whole(T),
    /// The text ends first.
    Cut,
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

pub(super) fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b':' || byte >= 0x80
}

pub(super) fn is_name_byte(byte: u8) -> bool {
    is_name_start(byte) || byte.is_ascii_digit() || byte == b'-' || byte == b'.'
}

pub(super) fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, wanted)
}

pub(super) fn to_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The name at the start of the text.
pub(super) fn name_at(text: &[u8]) -> Scanned<&[u8]> {
    if !text.first().is_some_and(|byte| is_name_start(*byte)) {
        return Err(INVALID_TOKEN);
    }
    let len = text.iter().position(|byte| !is_name_byte(*byte)).unwrap_or(text.len());
    Ok(&text[..len])
}

/// Control characters and the non-characters are nowhere allowed.
pub(super) fn check_chars(text: &[u8]) -> Scanned<()> {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte < 0x20 || *byte == 0xef) {
        match rest[at] {
            b'\t' | b'\n' | b'\r' => {}
            0xef if !matches!(rest.get(at..at + 3), Some([0xef, 0xbf, 0xbe | 0xbf])) => {}
            _ => return Err(INVALID_TOKEN),
        }
        rest = &rest[at + 1..];
    }
    Ok(())
}

/// Line ends of all kinds as line feeds.
pub(super) fn with_line_feeds(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.into_owned() }
}

/// The character of `&#…;`, given what stands between `#` and `;`.
pub(super) fn char_ref(digits: &[u8]) -> Scanned<char> {
    let text = std::str::from_utf8(digits).map_err(|_| INVALID_TOKEN)?;
    let (digits, radix) = text.strip_prefix('x').map_or((text, 10), |hex| (hex, 16));
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err(INVALID_TOKEN);
    }
    let code = u32::from_str_radix(digits, radix).map_err(|_| BAD_CHAR_REF)?;
    match char::from_u32(code) {
        Some('\t' | '\n' | '\r') => char::from_u32(code).ok_or(BAD_CHAR_REF),
        Some(character) if code >= 0x20 && code != 0xfffe && code != 0xffff => Ok(character),
        _ => Err(BAD_CHAR_REF),
    }
}

pub(super) fn predefined(name: &[u8]) -> Option<char> {
    Some(match name {
        b"lt" => '<',
        b"gt" => '>',
        b"amp" => '&',
        b"quot" => '"',
        b"apos" => '\'',
        _ => return None,
    })
}

impl Scanner {
    pub fn new(separator: Option<String>, dtd: Rc<RefCell<Dtd>>) -> Scanner {
        Scanner {
            sources: vec![Source { text: Vec::new(), pos: 0, entity: None, depth: 0 }],
            state: State::Start,
            queue: VecDeque::new(),
            open: Vec::new(),
            namespaces: Vec::new(),
            separator,
            dtd,
            wishes: Wishes::default(),
            is_external: false,
            foreign_dtd: false,
            external_subset: None,
            in_cdata: false,
            is_final: false,
            longest_text: None,
            wrong_at: 0,
            has_doctype: false,
            now: Position { line: 1, column: 0, byte: 0 },
            at: Position { line: 1, column: 0, byte: 0 },
            n_input: 0,
            n_expanded: 0,
            limit_activation: 8 << 20,
            limit_factor: 100.0,
        }
    }
    /// A scanner for an external entity of this document; without a context, for its external document type.
    pub fn external(&self, context: Option<&str>) -> Scanner {
        let mut scanner = Scanner::new(self.separator.clone(), self.dtd.clone());
        scanner.is_external = true;
        scanner.namespaces = self.namespaces.clone();
        scanner.wishes = self.wishes;
        if context.is_none() {
            scanner.state = State::Subset;
        }
        scanner
    }
    pub fn has_started(&self) -> bool {
        self.n_input > 0 || self.state != State::Start
    }
    /// More of the document.
    pub fn feed(&mut self, text: &str, is_final: bool) {
        self.n_input += text.len();
        self.is_final = is_final;
        let source = &mut self.sources[0];
        if source.pos > 0 {
            source.text.drain(..source.pos);
            source.pos = 0;
        }
        source.text.extend_from_slice(text.as_bytes());
    }
    pub fn n_input(&self) -> usize {
        self.n_input
    }
    pub fn n_unread(&self) -> usize {
        self.sources[0].text.len() - self.sources[0].pos
    }
    pub(super) fn rest(&self) -> &[u8] {
        let source = &self.sources[self.sources.len() - 1];
        &source.text[source.pos..]
    }
    /// Whether what is cut will be so for ever.
    pub(super) fn no_more(&self) -> bool {
        self.is_final || self.sources.len() > 1
    }
    /// Takes text off the source; the position goes along.
    pub(super) fn consume(&mut self, n: usize) -> Vec<u8> {
        let in_document = self.sources.len() == 1;
        let top = self.sources.len() - 1;
        let source = &mut self.sources[top];
        let taken = source.text[source.pos..source.pos + n].to_vec();
        source.pos += n;
        if in_document {
            self.at = self.now;
            let mut previous = 0;
            for byte in &taken {
                match byte {
                    b'\n' if previous == b'\r' => {}
                    b'\n' | b'\r' => {
                        self.now.line += 1;
                        self.now.column = 0;
                    }
                    0x80..=0xbf => {}
                    _ => self.now.column += 1,
                }
                previous = *byte;
            }
            self.now.byte += n;
        }
        taken
    }
    pub(super) fn push(&mut self, event: Event, raw: &[u8]) {
        let raw = if self.wishes.raw { to_text(raw) } else { String::new() };
        let at = self.at;
        self.queue.push_back(Item { event, raw, at });
    }
    /// Where an error is: at the start of what could not be read.
    pub fn fail_here(&mut self) {
        if self.sources.len() == 1 {
            self.at = self.now;
        }
    }
    /// The next event; none when more text is needed, or at the end.
    pub fn next(&mut self) -> Scanned<Option<Item>> {
        loop {
            if let Some(item) = self.queue.pop_front() {
                self.at = item.at;
                return Ok(Some(item));
            }
            if !self.step()? && self.queue.is_empty() {
                return Ok(None);
            }
        }
    }
    /// Reads one token; false when there is none.
    fn step(&mut self) -> Scanned<bool> {
        if self.rest().is_empty() && self.sources.len() > 1 {
            return self.leave_entity();
        }
        if self.rest().is_empty() {
            return self.at_end();
        }
        match self.state {
            State::Start => self.xml_declaration(),
            State::Prolog | State::Epilog => self.misc(),
            State::Subset => self.declaration(),
            State::AfterSubset => self.end_of_doctype(),
            State::Content if self.in_cdata => self.cdata(),
            State::Content => self.content(),
        }
    }
    fn at_end(&mut self) -> Scanned<bool> {
        if !self.is_final {
            return Ok(false);
        }
        let error = match self.state {
            _ if self.in_cdata => UNCLOSED_CDATA_SECTION,
            State::Content if self.is_external && self.open.is_empty() => return Ok(false),
            State::Start | State::Subset if self.is_external => return Ok(false),
            State::Content if self.is_external => ASYNC_ENTITY,
            State::Epilog => return Ok(false),
            _ => NO_ELEMENTS,
        };
        self.fail_here();
        Err(error)
    }
    /// The answer for a token whose end is not there yet.
    pub(super) fn cut(&mut self) -> Scanned<bool> {
        if !self.no_more() {
            return Ok(false);
        }
        self.fail_here();
        Err(UNCLOSED_TOKEN)
    }
    pub(super) fn bad(&mut self, error: XmlError) -> Scanned<bool> {
        self.fail_here();
        Err(error)
    }
    /// As `bad`, at the character that makes the token wrong.
    pub(super) fn bad_at(&mut self, error: XmlError, offset: usize) -> Scanned<bool> {
        if self.sources.len() == 1 {
            let offset = offset.min(self.rest().len());
            self.consume(offset);
            self.fail_here();
        }
        Err(error)
    }
    /// Where reading stands.
    pub(super) fn move_to_now(&mut self) {
        if self.sources.len() == 1 {
            self.at = self.now;
        }
    }

    fn xml_declaration(&mut self) -> Scanned<bool> {
        let rest = self.rest();
        let start: &[u8] = b"<?xml";
        if !rest.starts_with(start) {
            if start.starts_with(rest) && !self.no_more() {
                return Ok(false);
            }
            self.leave_start();
            return Ok(true);
        }
        match rest.get(start.len()) {
            None if !self.no_more() => return Ok(false),
            Some(byte) if is_space(*byte) => {}
            _ => {
                self.leave_start();
                return Ok(true);
            }
        }
        let Some(end) = find(rest, b"?>") else { return self.cut() };
        let inside = rest[start.len()..end].to_vec();
        let wrong = if self.is_external { TEXT_DECL } else { XML_DECL };
        let Some((version, encoding, standalone)) = declaration_parts(&inside, self.is_external) else {
            return self.bad(wrong);
        };
        let raw = self.consume(end + 2);
        self.dtd.borrow_mut().standalone |= standalone == 1;
        self.push(Event::XmlDecl { version, encoding, standalone }, &raw);
        self.leave_start();
        Ok(true)
    }
    fn leave_start(&mut self) {
        self.state = if self.is_external { State::Content } else { State::Prolog };
    }

    /// Around the root element.
    fn misc(&mut self) -> Scanned<bool> {
        let rest = self.rest();
        let n_spaces = rest.iter().position(|byte| !is_space(*byte)).unwrap_or(rest.len());
        if n_spaces > 0 {
            let raw = self.consume(n_spaces);
            self.push(Event::Other, &raw);
            return Ok(true);
        }
        let outside = if self.state == State::Epilog { JUNK_AFTER_DOC_ELEMENT } else { SYNTAX };
        match rest {
            [b'<'] => self.cut(),
            [b'<', b'?', ..] => self.processing_instruction(),
            [b'<', b'!', ..] if b"<!--".starts_with(&rest[..rest.len().min(4)]) => self.comment(),
            [b'<', b'!', ..] if self.state == State::Prolog && !self.has_doctype => self.doctype(),
            [b'<', byte, ..] if self.state == State::Prolog && is_name_start(*byte) => {
                if self.foreign_dtd && !self.has_doctype && self.wishes.parameter_entities {
                    self.has_doctype = true;
                    self.dtd.borrow_mut().is_partial = true;
                    self.push(Event::ExternalEntity { context: None, system: None, public: None }, b"");
                    return Ok(true);
                }
                self.state = State::Content;
                Ok(true)
            }
            [b'<', byte, ..] if self.state == State::Prolog && *byte != b'!' => self.bad_at(INVALID_TOKEN, 1),
            [first, ..] if is_name_start(*first) && self.state == State::Prolog => {
                // A name is a token here, whose end shows what is wrong.
                let end = rest.iter().position(|byte| !is_name_byte(*byte));
                match end.map(|end| (end, rest[end])) {
                    Some((end, byte)) if !is_space(byte) && !b"[>%)|,?*+".contains(&byte) => {
                        self.bad_at(INVALID_TOKEN, end)
                    }
                    _ => self.bad(outside),
                }
            }
            _ => self.bad(outside),
        }
    }

    pub(super) fn comment(&mut self) -> Scanned<bool> {
        let rest = self.rest();
        if rest.len() < 4 {
            return self.cut();
        }
        let Some(end) = find(&rest[4..], b"--").map(|at| at + 4) else { return self.cut() };
        match rest.get(end + 2) {
            None => return self.cut(),
            Some(b'>') => {}
            Some(_) => return self.bad(INVALID_TOKEN),
        }
        if check_chars(&rest[4..end]).is_err() {
            return self.bad(INVALID_TOKEN);
        }
        let raw = self.consume(end + 3);
        let text = with_line_feeds(&raw[4..end]);
        self.push(Event::Comment(text), &raw);
        Ok(true)
    }
    pub(super) fn processing_instruction(&mut self) -> Scanned<bool> {
        let rest = self.rest();
        let Some(end) = find(rest, b"?>") else { return self.cut() };
        let inside = &rest[2..end];
        let Ok(target) = name_at(inside) else { return self.bad(INVALID_TOKEN) };
        let data = &inside[target.len()..];
        if data.first().is_some_and(|byte| !is_space(*byte)) || check_chars(data).is_err() {
            return self.bad(INVALID_TOKEN);
        }
        if target.eq_ignore_ascii_case(b"xml") {
            let error = if target == b"xml" { MISPLACED_XML_PI } else { INVALID_TOKEN };
            return self.bad(error);
        }
        let n_spaces = data.iter().position(|byte| !is_space(*byte)).unwrap_or(data.len());
        let (target, data) = (to_text(target), with_line_feeds(&data[n_spaces..]));
        let raw = self.consume(end + 2);
        self.push(Event::ProcessingInstruction { target, data }, &raw);
        Ok(true)
    }

    fn content(&mut self) -> Scanned<bool> {
        let rest = self.rest();
        match rest {
            [b'<'] => self.cut(),
            [b'<', b'/', ..] => self.end_tag(),
            [b'<', b'?', ..] => self.processing_instruction(),
            [b'<', b'!', ..] => {
                let head = &rest[..rest.len().min(9)];
                if head.starts_with(b"<!--") {
                    self.comment()
                } else if head == b"<![CDATA[" {
                    let raw = self.consume(9);
                    self.in_cdata = true;
                    self.push(Event::StartCdata, &raw);
                    Ok(true)
                } else if b"<!--".starts_with(head) || b"<![CDATA[".starts_with(head) {
                    self.cut()
                } else {
                    self.bad(INVALID_TOKEN)
                }
            }
            [b'<', ..] => self.start_tag(),
            [b'&', ..] => self.reference(),
            _ => self.text(false),
        }
    }
    fn cdata(&mut self) -> Scanned<bool> {
        if self.rest().starts_with(b"]]>") {
            let raw = self.consume(3);
            self.in_cdata = false;
            self.push(Event::EndCdata, &raw);
            return Ok(true);
        }
        self.text(true)
    }
    /// Character data: up to a line end, or the line end itself.
    fn text(&mut self, in_cdata: bool) -> Scanned<bool> {
        let rest = self.rest();
        match rest {
            [b'\r'] if !self.no_more() => return Ok(false),
            [b'\r', b'\n', ..] => return self.give_text(2, Some("\n")),
            [b'\n' | b'\r', ..] => return self.give_text(1, Some("\n")),
            _ => {}
        }
        let is_end = |byte: &u8| match byte {
            b'\n' | b'\r' => true,
            b'<' | b'&' => !in_cdata,
            _ => false,
        };
        let mut end = rest.iter().position(is_end).unwrap_or(rest.len());
        if let Some(close) = find(&rest[..end], b"]]>") {
            if in_cdata {
                end = close;
            } else {
                self.give_text(close, None)?;
                return self.bad(INVALID_TOKEN);
            }
        } else if end == rest.len() && !self.no_more() {
            // A `]]>` may be in the making.
            let n_brackets = rest.iter().rev().take(2).take_while(|byte| **byte == b']').count();
            end -= n_brackets;
        } else if end == rest.len() && in_cdata {
            return self.bad(UNCLOSED_CDATA_SECTION);
        }
        if end == 0 {
            return Ok(false);
        }
        if let Some(longest) = self.longest_text
            && end > longest
        {
            end = longest;
            while rest[end] & 0xc0 == 0x80 {
                end -= 1;
            }
        }
        self.give_text(end, None)
    }
    fn give_text(&mut self, n: usize, text: Option<&str>) -> Scanned<bool> {
        if n == 0 {
            return Ok(true);
        }
        if check_chars(&self.rest()[..n]).is_err() {
            let wrong = (0..n).find(|at| check_chars(&self.rest()[..at + 1]).is_err());
            return self.bad_at(INVALID_TOKEN, wrong.unwrap_or(0));
        }
        let raw = self.consume(n);
        let text = text.map_or_else(|| to_text(&raw), str::to_owned);
        self.push(Event::Text(text), &raw);
        Ok(true)
    }

    /// `&…;` in content.
    fn reference(&mut self) -> Scanned<bool> {
        let rest = self.rest();
        let n = rest[1..].iter().position(|byte| !is_name_byte(*byte) && *byte != b'#');
        let Some(n) = n else { return self.cut() };
        if rest[1 + n] != b';' || n == 0 {
            return self.bad_at(INVALID_TOKEN, 1 + n);
        }
        let name = rest[1..1 + n].to_vec();
        let character = match name.strip_prefix(b"#") {
            Some(digits) => match char_ref(digits) {
                Ok(character) => Some(character),
                Err(error) => return self.bad(error),
            },
            None => predefined(&name),
        };
        if let Some(character) = character {
            let raw = self.consume(n + 2);
            self.push(Event::Text(character.to_string()), &raw);
            return Ok(true);
        }
        if name_at(&name).map(<[u8]>::len) != Ok(name.len()) {
            return self.bad(INVALID_TOKEN);
        }
        self.general_entity(&to_text(&name), n + 2)
    }
    fn general_entity(&mut self, name: &str, n: usize) -> Scanned<bool> {
        let dtd = self.dtd.clone();
        let dtd = dtd.borrow();
        let Some(entity) = dtd.general.get(name) else {
            if !dtd.is_partial || dtd.standalone {
                return self.bad(UNDEFINED_ENTITY);
            }
            let raw = self.consume(n);
            self.push(Event::SkippedEntity { name: name.to_owned(), is_parameter: false }, &raw);
            return Ok(true);
        };
        if entity.notation.is_some() {
            return self.bad(BINARY_ENTITY_REF);
        }
        if self.sources.iter().any(|source| source.entity.as_deref() == Some(name)) {
            return self.bad(RECURSIVE_ENTITY_REF);
        }
        let raw = self.consume(n);
        match &entity.value {
            Some(_) if !self.wishes.expand => {
                self.push(Event::SkippedEntity { name: name.to_owned(), is_parameter: false }, &raw);
            }
            Some(value) => {
                self.count_expansion(value.len())?;
                let depth = self.open.len();
                let text = value.clone().into_bytes();
                self.sources.push(Source { text, pos: 0, entity: Some(name.to_owned()), depth });
            }
            None if self.wishes.external_entities => {
                let (system, public) = (entity.system.clone(), entity.public.clone());
                self.push(Event::ExternalEntity { context: Some(self.context_of(name)), system, public }, &raw);
            }
            None => self.push(Event::Other, &raw),
        }
        Ok(true)
    }
    /// What an external entity's parser is told: the namespaces in force, and the entity.
    fn context_of(&self, name: &str) -> String {
        if self.separator.is_none() {
            return name.to_owned();
        }
        let mut context = "xml=http://www.w3.org/XML/1998/namespace".to_owned();
        for (prefix, uri) in &self.namespaces {
            context.push_str(&format!("\x0c{prefix}={}", uri.as_deref().unwrap_or_default()));
        }
        format!("{context}\x0c{name}")
    }
    /// Entities within entities may not blow up the document.
    pub(super) fn count_expansion(&mut self, n: usize) -> Scanned<()> {
        self.n_expanded += n;
        let total = self.n_input + self.n_expanded;
        if total > self.limit_activation && total as f32 / self.n_input.max(1) as f32 > self.limit_factor {
            return Err(AMPLIFICATION_LIMIT_BREACH);
        }
        Ok(())
    }
    /// Reads on in the text of a parameter entity.
    pub(super) fn enter_parameter(&mut self, name: String, value: String) -> Scanned<bool> {
        let entity = Some(format!("%{name}"));
        if self.sources.iter().any(|source| source.entity == entity) {
            return self.bad(RECURSIVE_ENTITY_REF);
        }
        let depth = self.open.len();
        self.sources.push(Source { text: value.into_bytes(), pos: 0, entity, depth });
        Ok(true)
    }
    fn leave_entity(&mut self) -> Scanned<bool> {
        let depth = self.open.len();
        match self.sources.pop() {
            Some(source) if source.depth == depth && !self.in_cdata => Ok(true),
            _ => Err(ASYNC_ENTITY),
        }
    }
    pub(super) fn root_started(&mut self) {
        self.state = State::Content;
    }
    pub(super) fn element_ended(&mut self) {
        if self.open.is_empty() && !self.is_external {
            self.state = State::Epilog;
        }
    }
    /// Elements may not end in another entity than they began in.
    pub(super) fn may_end_element(&self) -> bool {
        self.sources.last().is_some_and(|source| self.open.len() > source.depth)
    }
}

type DeclarationParts = (Option<String>, Option<String>, i32);

/// Version, encoding and `standalone` of an XML declaration.
fn declaration_parts(inside: &[u8], is_text: bool) -> Option<DeclarationParts> {
    let mut parts: DeclarationParts = (None, None, -1);
    let mut rest = inside;
    let mut last = 0;
    loop {
        let n_spaces = rest.iter().take_while(|byte| is_space(**byte)).count();
        rest = &rest[n_spaces..];
        if rest.is_empty() {
            break;
        }
        if n_spaces == 0 {
            return None;
        }
        let name = name_at(rest).ok()?;
        rest = rest[name.len()..].trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
        let quote = *rest.first().filter(|byte| matches!(byte, b'"' | b'\''))?;
        let end = rest[1..].iter().position(|byte| *byte == quote)? + 1;
        let value = to_text(&rest[1..end]);
        rest = &rest[end + 1..];
        let place = match name {
            b"version" if value.starts_with("1.") => {
                parts.0 = Some(value);
                1
            }
            b"encoding" if value.as_bytes().first().is_some_and(u8::is_ascii_alphabetic) => {
                parts.1 = Some(value);
                2
            }
            b"standalone" if !is_text => {
                parts.2 = match &*value {
                    "yes" => 1,
                    "no" => 0,
                    _ => return None,
                };
                3
            }
            _ => return None,
        };
        if place <= last {
            return None;
        }
        last = place;
    }
    let complete = if is_text { parts.1.is_some() } else { parts.0.is_some() };
    complete.then_some(parts)
}
