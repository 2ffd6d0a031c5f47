//! Document types -> events, and what is kept of them in `Dtd`.

use super::dtd::{AttributeRule, Entity};
use super::scan::*;

/// How deep content models may nest.
const MAX_MODEL_DEPTH: usize = 500;

/// The place of a `>` or `[` that is in no literal.
fn end_of_declaration(text: &[u8], also: u8) -> Option<usize> {
    let mut quote = 0;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'"' | b'\'' if quote == 0 => quote = *byte,
            byte if quote != 0 => quote = if *byte == quote { 0 } else { quote },
            byte if *byte == b'>' || *byte == also => return Some(at),
            _ => {}
        }
    }
    None
}

/// The tokens of a declaration: white space, literals, names, single characters.
fn tokens(text: &[u8]) -> Scanned<Vec<&[u8]>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.first() {
        let n = match first {
            quote @ (b'"' | b'\'') => 2 + rest[1..].iter().position(|byte| byte == quote).ok_or(INVALID_TOKEN)?,
            byte if is_space(*byte) => rest.iter().take_while(|byte| is_space(**byte)).count(),
            byte if is_name_byte(*byte) || *byte == b'#' => {
                1 + rest[1..].iter().take_while(|byte| is_name_byte(**byte)).count()
            }
            _ => 1,
        };
        tokens.push(&rest[..n]);
        rest = &rest[n..];
    }
    Ok(tokens)
}

fn literal(token: &[u8]) -> Option<&[u8]> {
    match token {
        [b'"', inside @ .., b'"'] | [b'\'', inside @ .., b'\''] => Some(inside),
        _ => None,
    }
}

fn public_id(token: &[u8]) -> Scanned<String> {
    let inside = literal(token).ok_or(SYNTAX)?;
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b" \r\n-'()+,./:=?;!*#@$_%".contains(byte);
    if !inside.iter().all(allowed) {
        return Err(PUBLICID);
    }
    let text = to_text(inside);
    Ok(text.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
}

/// A walk over the tokens that are no white space.
struct Walk<'a> {
    tokens: Vec<&'a [u8]>,
    at: usize,
}

impl<'a> Walk<'a> {
    fn of(text: &'a [u8]) -> Scanned<Walk<'a>> {
        let tokens = tokens(text)?.into_iter().filter(|token| !is_space(token[0])).collect();
        Ok(Walk { tokens, at: 0 })
    }
    fn peek(&self) -> Option<&'a [u8]> {
        self.tokens.get(self.at).copied()
    }
    fn next(&mut self) -> Scanned<&'a [u8]> {
        let token = self.peek().ok_or(SYNTAX)?;
        self.at += 1;
        Ok(token)
    }
    fn name(&mut self) -> Scanned<String> {
        let token = self.next()?;
        if name_at(token)?.len() != token.len() {
            return Err(SYNTAX);
        }
        Ok(to_text(token))
    }
    fn take(&mut self, token: &[u8]) -> bool {
        let found = self.peek() == Some(token);
        self.at += usize::from(found);
        found
    }
    fn end(&self) -> Scanned<()> {
        if self.at == self.tokens.len() { Ok(()) } else { Err(SYNTAX) }
    }
    /// `SYSTEM "…"` or `PUBLIC "…" "…"`; a notation's public id may stand alone.
    fn external_id(&mut self, system_optional: bool) -> Scanned<Option<(Option<String>, Option<String>)>> {
        if self.take(b"SYSTEM") {
            let system = literal(self.next()?).ok_or(SYNTAX)?;
            return Ok(Some((Some(to_text(system)), None)));
        }
        if !self.take(b"PUBLIC") {
            return Ok(None);
        }
        let public = public_id(self.next()?)?;
        let system = self.peek().and_then(literal).map(to_text);
        if system.is_none() && !system_optional {
            return Err(SYNTAX);
        }
        self.at += usize::from(system.is_some());
        Ok(Some((system, Some(public))))
    }
    fn quantifier(&mut self) -> u32 {
        for (token, number) in [(b"?", 1), (b"*", 2), (b"+", 3)] {
            if self.take(token) {
                return number;
            }
        }
        0
    }
    /// What stands in parentheses in an element declaration.
    fn model(&mut self, depth: usize) -> Scanned<Model> {
        if depth > MAX_MODEL_DEPTH {
            return Err(TOO_DEEP);
        }
        const MIXED: u32 = 3;
        const NAME: u32 = 4;
        const CHOICE: u32 = 5;
        const SEQUENCE: u32 = 6;
        let mut model = Model { kind: SEQUENCE, quantifier: 0, name: None, children: Vec::new() };
        if self.take(b"#PCDATA") {
            model.kind = MIXED;
            while self.take(b"|") {
                let name = Some(self.name()?);
                model.children.push(Model { kind: NAME, quantifier: 0, name, children: Vec::new() });
            }
            if !self.take(b")") {
                return Err(SYNTAX);
            }
            model.quantifier = self.quantifier();
            return Ok(model);
        }
        loop {
            let child = if self.take(b"(") {
                self.model(depth + 1)?
            } else {
                let name = Some(self.name()?);
                let quantifier = self.quantifier();
                Model { kind: NAME, quantifier, name, children: Vec::new() }
            };
            model.children.push(child);
            if self.take(b"|") {
                model.kind = CHOICE;
            } else if !self.take(b",") {
                break;
            }
        }
        if !self.take(b")") {
            return Err(SYNTAX);
        }
        model.quantifier = self.quantifier();
        Ok(model)
    }
}

impl Scanner {
    /// `<!DOCTYPE …`, up to its subset or its end.
    pub(super) fn doctype(&mut self) -> Scanned<bool> {
        const START: &[u8] = b"<!DOCTYPE";
        let rest = self.rest();
        if !rest.starts_with(START) {
            if START.starts_with(rest) {
                return self.cut();
            }
            return self.bad(INVALID_TOKEN);
        }
        let Some(end) = end_of_declaration(rest, b'[') else { return self.cut() };
        let inside = rest[START.len()..end].to_vec();
        let has_subset = rest[end] == b'[';
        let parsed = Walk::of(&inside).and_then(|mut walk| {
            let name = walk.name()?;
            let external = walk.external_id(false)?;
            walk.end()?;
            Ok((name, external))
        });
        let (name, external) = match parsed {
            Ok(parsed) => parsed,
            Err(error) => return self.bad(error),
        };
        let mut parts = vec![to_text(START)];
        parts.extend(tokens(&inside)?.into_iter().map(to_text));
        if has_subset {
            parts.push("[".to_owned());
        }
        let raw = self.consume(end + usize::from(has_subset));
        self.has_doctype = true;
        let has_external = external.is_some();
        let (system, public) = external.unwrap_or_default();
        self.dtd.borrow_mut().is_partial |= has_external;
        if has_external && !self.wishes.parameter_entities && !self.dtd.borrow().standalone {
            self.push(Event::NotStandalone, b"");
        }
        let event = Event::StartDoctype { name, system: system.clone(), public: public.clone(), has_subset, tokens: parts };
        self.push(event, &raw);
        self.external_subset = has_external.then_some((system, public));
        self.state = if has_subset { State::Subset } else { State::AfterSubset };
        Ok(true)
    }
    /// The `>` after a document type.
    pub(super) fn end_of_doctype(&mut self) -> Scanned<bool> {
        let rest = self.rest();
        let n_spaces = rest.iter().take_while(|byte| is_space(**byte)).count();
        match rest.get(n_spaces) {
            None => return self.cut(),
            Some(b'>') => {}
            Some(_) => return self.bad(SYNTAX),
        }
        let raw = self.consume(n_spaces + 1);
        if let Some((system, public)) = self.external_subset.take() {
            let standalone = self.dtd.borrow().standalone;
            if self.wishes.parameter_entities && !standalone {
                self.push(Event::ExternalEntity { context: None, system, public }, b"");
            }
        }
        self.push(Event::EndDoctype, &raw);
        self.state = State::Prolog;
        Ok(true)
    }

    /// One declaration of a subset.
    pub(super) fn declaration(&mut self) -> Scanned<bool> {
        let rest = self.rest();
        let n_spaces = rest.iter().take_while(|byte| is_space(**byte)).count();
        if n_spaces > 0 {
            let raw = self.consume(n_spaces);
            self.push(Event::Other, &raw);
            return Ok(true);
        }
        match rest {
            [b']', ..] if !self.is_external => {
                let raw = self.consume(1);
                self.push(Event::Other, &raw);
                self.state = State::AfterSubset;
                Ok(true)
            }
            [b'%', ..] => self.parameter_reference(),
            [b'<', b'?', ..] if self.is_external && rest.starts_with(b"<?xml ") => {
                let Some(end) = find(rest, b"?>") else { return self.cut() };
                let raw = self.consume(end + 2);
                self.push(Event::Other, &raw);
                Ok(true)
            }
            [b'<', b'?', ..] => self.processing_instruction(),
            [b'<'] | [b'<', b'!'] => self.cut(),
            [b'<', b'!', b'-', ..] => self.comment(),
            [b'<', b'!', ..] => {
                let Some(end) = end_of_declaration(rest, b'>') else { return self.cut() };
                let inside = rest[2..end].to_vec();
                let events = match self.declared(&inside) {
                    Ok(events) => events,
                    Err(error) => return self.bad(error),
                };
                let raw = self.consume(end + 1);
                if events.is_empty() {
                    self.push(Event::Other, &raw);
                }
                for (at, event) in events.into_iter().enumerate() {
                    self.push(event, if at == 0 { &raw } else { b"" });
                }
                Ok(true)
            }
            _ => self.bad(SYNTAX),
        }
    }
    fn parameter_reference(&mut self) -> Scanned<bool> {
        let rest = self.rest();
        let Some(end) = rest.iter().position(|byte| *byte == b';') else { return self.cut() };
        let name = rest[1..end].to_vec();
        if name_at(&name).map(<[u8]>::len) != Ok(name.len()) {
            return self.bad(INVALID_TOKEN);
        }
        let name = to_text(&name);
        let raw = self.consume(end + 1);
        // Its declarations are read only where that was asked for, and they are in the document.
        let dtd = self.dtd.clone();
        let mut dtd = dtd.borrow_mut();
        match dtd.parameter.get(&name).map(|entity| entity.value.clone()) {
            Some(Some(value)) if self.wishes.parameter_entities => {
                drop(dtd);
                self.count_expansion(value.len())?;
                return self.enter_parameter(name, value);
            }
            Some(None) if self.wishes.parameter_entities && self.wishes.external_entities => {
                let entity = &dtd.parameter[&name];
                let (system, public) = (entity.system.clone(), entity.public.clone());
                self.push(Event::ExternalEntity { context: None, system, public }, &raw);
            }
            _ if self.wishes.parameter_entities => {
                dtd.is_partial = true;
                self.push(
                    Event::SkippedEntity {
                        name,
                        is_parameter: true,
                    },
                    &raw,
                );
            }
            _ => {
                dtd.is_partial = true;
                self.push(Event::Other, &raw);
            }
        }
        Ok(true)
    }
    fn declared(&mut self, inside: &[u8]) -> Scanned<Vec<Event>> {
        check_chars(inside)?;
        let mut walk = Walk::of(inside)?;
        match walk.next()? {
            b"ENTITY" => self.entity(&mut walk).map(|event| event.into_iter().collect()),
            b"ELEMENT" => {
                let name = walk.name()?;
                let plain = |kind| Model { kind, quantifier: 0, name: None, children: Vec::new() };
                let model = if walk.take(b"EMPTY") {
                    plain(1)
                } else if walk.take(b"ANY") {
                    plain(2)
                } else if walk.take(b"(") {
                    walk.model(0)?
                } else {
                    return Err(SYNTAX);
                };
                walk.end()?;
                Ok(vec![Event::ElementDecl { name, model }])
            }
            b"ATTLIST" => self.attribute_list(&mut walk),
            b"NOTATION" => {
                let name = walk.name()?;
                let Some((system, public)) = walk.external_id(true)? else { return Err(SYNTAX) };
                walk.end()?;
                Ok(vec![Event::Notation { name, system, public }])
            }
            _ => Err(SYNTAX),
        }
    }
    fn entity(&mut self, walk: &mut Walk<'_>) -> Scanned<Option<Event>> {
        let is_parameter = walk.take(b"%");
        let name = walk.name()?;
        let (value, system, public, notation) = match walk.external_id(false)? {
            Some((system, public)) => {
                let notation = if !is_parameter && walk.take(b"NDATA") { Some(walk.name()?) } else { None };
                (None, system, public, notation)
            }
            None => {
                let text = literal(walk.next()?).ok_or(SYNTAX)?;
                (Some(entity_value(text)?), None, None, None)
            }
        };
        walk.end()?;
        let mut dtd = self.dtd.borrow_mut();
        let table = if is_parameter { &mut dtd.parameter } else { &mut dtd.general };
        // The first declaration holds.
        if table.contains_key(&name) || !is_parameter && predefined(name.as_bytes()).is_some() {
            return Ok(None);
        }
        table.insert(
            name.clone(),
            Entity { value: value.clone(), system: system.clone(), public: public.clone(), notation: notation.clone() },
        );
        Ok(Some(match notation {
            Some(notation) => Event::UnparsedEntity { name, system, public, notation },
            None => Event::EntityDecl { name, is_parameter, value, system, public },
        }))
    }
    fn attribute_list(&mut self, walk: &mut Walk<'_>) -> Scanned<Vec<Event>> {
        let element = walk.name()?;
        let mut events = Vec::new();
        while walk.peek().is_some() {
            let attribute = walk.name()?;
            let mut kind = String::new();
            if !walk.take(b"(") {
                kind = walk.name()?;
                const KINDS: [&str; 9] =
                    ["CDATA", "ID", "IDREF", "IDREFS", "ENTITY", "ENTITIES", "NMTOKEN", "NMTOKENS", "NOTATION"];
                if !KINDS.contains(&&*kind) {
                    return Err(SYNTAX);
                }
                if kind == "NOTATION" && !walk.take(b"(") {
                    return Err(SYNTAX);
                }
            }
            if kind.is_empty() || kind == "NOTATION" {
                let mut choices = Vec::new();
                loop {
                    choices.push(to_text(walk.next()?));
                    if !walk.take(b"|") {
                        break;
                    }
                }
                if !walk.take(b")") {
                    return Err(SYNTAX);
                }
                kind = format!("{kind}({})", choices.join("|"));
            }
            let is_cdata = kind == "CDATA";
            let (mut default, mut required) = (None, walk.take(b"#REQUIRED"));
            if !required && !walk.take(b"#IMPLIED") {
                required = walk.take(b"#FIXED");
                let text = literal(walk.next()?).ok_or(SYNTAX)?;
                default = Some(self.attribute_value(text, is_cdata)?);
            }
            let mut dtd = self.dtd.borrow_mut();
            let rules = dtd.attributes.entry(element.clone()).or_default();
            if !rules.iter().any(|rule| rule.name == attribute) {
                rules.push(AttributeRule { name: attribute.clone(), is_cdata, default: default.clone() });
            }
            events.push(Event::AttlistDecl { element: element.clone(), attribute, kind, default, required });
        }
        Ok(events)
    }
}

/// The replacement text of an entity: character references are replaced, others stay.
fn entity_value(text: &[u8]) -> Scanned<String> {
    let mut value = String::with_capacity(text.len());
    let text = with_line_feeds(text);
    let mut rest = &*text;
    while let Some(at) = rest.find(['&', '%']) {
        value.push_str(&rest[..at]);
        if rest.as_bytes()[at] == b'%' {
            return Err(PARAM_ENTITY_REF);
        }
        let end = rest[at..].find(';').ok_or(INVALID_TOKEN)? + at;
        match rest[at + 1..end].strip_prefix('#') {
            Some(digits) => value.push(char_ref(digits.as_bytes())?),
            None => value.push_str(&rest[at..=end]),
        }
        rest = &rest[end + 1..];
    }
    value.push_str(rest);
    Ok(value)
}
