//! Tags -> events: attributes with their defaults, and names with their namespaces.

use super::scan::*;

const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS_NAMESPACE: &str = "http://www.w3.org/2000/xmlns/";

/// The `>` that ends a tag.
fn end_of_tag(text: &[u8]) -> Scanned<Found<usize>> {
    let mut quote = 0;
    for (at, byte) in text.iter().enumerate().skip(1) {
        match byte {
            b'<' => return Err(INVALID_TOKEN),
            b'>' if quote == 0 => return Ok(Found::Whole(at)),
            b'"' | b'\'' if quote == 0 => quote = *byte,
            byte if *byte == quote => quote = 0,
            _ => {}
        }
    }
    Ok(Found::Cut)
}

impl Scanner {
    pub(super) fn start_tag(&mut self) -> Scanned<bool> {
        let rest = self.rest();
        let end = match end_of_tag(rest) {
            Ok(Found::Whole(end)) => end,
            _ if rest.len() > 1 && !is_name_start(rest[1]) => return self.bad_at(INVALID_TOKEN, 1),
            Ok(Found::Cut) => return self.cut(),
            Err(error) => {
                let wrong = rest[1..].iter().position(|byte| *byte == b'<').unwrap_or(0);
                return self.bad_at(error, wrong + 1);
            }
        };
        let is_empty = rest[end - 1] == b'/';
        let inside = rest[1..end - usize::from(is_empty)].to_vec();
        let parsed = self.tag_parts(&inside);
        let (raw_name, attributes) = match parsed {
            Ok(parts) => parts,
            Err(INVALID_TOKEN) => return self.bad_at(INVALID_TOKEN, self.wrong_at),
            Err(error) => return self.bad(error),
        };
        self.root_started();
        let n_before = self.namespaces.len();
        let resolved = self.resolve(&raw_name, attributes);
        let (name, attributes, declared) = match resolved {
            Ok(resolved) => resolved,
            Err(error) => return self.bad(error),
        };
        let raw = self.consume(end + 1);
        for (prefix, uri) in declared {
            self.push(Event::StartNamespace { prefix, uri }, b"");
        }
        let n_namespaces = self.namespaces.len() - n_before;
        self.push(Event::Start { name: name.clone(), attributes }, &raw);
        self.open.push(OpenElement { raw_name, name, n_namespaces });
        if is_empty {
            self.close_element(b"");
        }
        Ok(true)
    }
    /// Name and attributes: those of the tag, then the defaults.
    fn tag_parts(&mut self, inside: &[u8]) -> Scanned<(String, Attributes)> {
        check_chars(inside)?;
        let name = name_at(inside)?;
        let mut rest = &inside[name.len()..];
        let name = to_text(name);
        let mut pairs: Vec<(String, String)> = Vec::new();
        loop {
            let n_spaces = rest.iter().take_while(|byte| is_space(**byte)).count();
            rest = &rest[n_spaces..];
            self.wrong_at = 1 + inside.len() - rest.len();
            if rest.is_empty() {
                break;
            }
            if n_spaces == 0 {
                return Err(INVALID_TOKEN);
            }
            let attribute = name_at(rest)?;
            rest = rest[attribute.len()..].trim_ascii_start();
            self.wrong_at = 1 + inside.len() - rest.len();
            rest = rest.strip_prefix(b"=").ok_or(INVALID_TOKEN)?.trim_ascii_start();
            self.wrong_at = 1 + inside.len() - rest.len();
            let quote = rest.first().copied().filter(|byte| matches!(byte, b'"' | b'\'')).ok_or(INVALID_TOKEN)?;
            let end = rest[1..].iter().position(|byte| *byte == quote).ok_or(INVALID_TOKEN)? + 1;
            let attribute = to_text(attribute);
            if pairs.iter().any(|(known, _)| *known == attribute) {
                return Err(DUPLICATE_ATTRIBUTE);
            }
            let is_cdata = self.is_cdata(&name, &attribute);
            let value = self.attribute_value(&rest[1..end], is_cdata)?;
            pairs.push((attribute, value));
            rest = &rest[end + 1..];
        }
        let n_specified = pairs.len();
        if let Some(rules) = self.dtd.borrow().attributes.get(&name) {
            for rule in rules {
                if let Some(default) = &rule.default
                    && !pairs.iter().any(|(known, _)| *known == rule.name)
                {
                    pairs.push((rule.name.clone(), default.clone()));
                }
            }
        }
        Ok((name, Attributes { pairs, n_specified }))
    }
    fn is_cdata(&self, element: &str, attribute: &str) -> bool {
        let dtd = self.dtd.borrow();
        let rules = dtd.attributes.get(element);
        let rule = rules.and_then(|rules| rules.iter().find(|rule| rule.name == attribute));
        rule.is_none_or(|rule| rule.is_cdata)
    }
    /// An attribute's value: references are replaced, white space becomes spaces.
    pub(super) fn attribute_value(&mut self, text: &[u8], is_cdata: bool) -> Scanned<String> {
        let mut value = String::with_capacity(text.len());
        self.expand_attribute(text, &mut value, &mut Vec::new())?;
        if is_cdata {
            return Ok(value);
        }
        Ok(value.split(' ').filter(|token| !token.is_empty()).collect::<Vec<_>>().join(" "))
    }
    fn expand_attribute(&mut self, text: &[u8], value: &mut String, open: &mut Vec<String>) -> Scanned<()> {
        let mut rest = text;
        while let Some(at) = rest.iter().position(|byte| matches!(byte, b'&' | b'<' | b'\t' | b'\n' | b'\r')) {
            value.push_str(&String::from_utf8_lossy(&rest[..at]));
            let special = rest[at];
            rest = &rest[at + 1..];
            match special {
                b'<' => return Err(INVALID_TOKEN),
                b'&' => {}
                special => {
                    if special == b'\r' && rest.first() == Some(&b'\n') {
                        rest = &rest[1..];
                    }
                    value.push(' ');
                    continue;
                }
            }
            let end = rest.iter().position(|byte| *byte == b';').ok_or(INVALID_TOKEN)?;
            let name = &rest[..end];
            rest = &rest[end + 1..];
            if let Some(digits) = name.strip_prefix(b"#") {
                value.push(char_ref(digits)?);
                continue;
            }
            if name_at(name)?.len() != name.len() {
                return Err(INVALID_TOKEN);
            }
            if let Some(character) = predefined(name) {
                value.push(character);
                continue;
            }
            let name = to_text(name);
            let dtd = self.dtd.clone();
            let dtd = dtd.borrow();
            let Some(entity) = dtd.general.get(&name) else {
                if !dtd.is_partial || dtd.standalone {
                    return Err(UNDEFINED_ENTITY);
                }
                continue;
            };
            if open.contains(&name) {
                return Err(RECURSIVE_ENTITY_REF);
            }
            if entity.notation.is_some() {
                return Err(BINARY_ENTITY_REF);
            }
            let replacement = entity.value.as_ref().ok_or(ATTRIBUTE_EXTERNAL_ENTITY_REF)?;
            self.count_expansion(replacement.len())?;
            open.push(name);
            self.expand_attribute(replacement.as_bytes(), value, open)?;
            open.pop();
        }
        value.push_str(&String::from_utf8_lossy(rest));
        Ok(())
    }

    pub(super) fn end_tag(&mut self) -> Scanned<bool> {
        let rest = self.rest();
        let Some(end) = rest.iter().position(|byte| *byte == b'>') else {
            if rest.len() > 2 && !is_name_start(rest[2]) || rest[1..].contains(&b'<') {
                return self.bad(INVALID_TOKEN);
            }
            return self.cut();
        };
        let inside = rest[2..end].to_vec();
        let Ok(name) = name_at(&inside) else { return self.bad(INVALID_TOKEN) };
        if !inside[name.len()..].iter().all(|byte| is_space(*byte)) {
            return self.bad(INVALID_TOKEN);
        }
        if !self.may_end_element() {
            return self.bad(ASYNC_ENTITY);
        }
        if self.open.last().is_none_or(|open| open.raw_name.as_bytes() != name) {
            // expat points at the name.
            self.fail_here();
            if self.sources.len() == 1 {
                self.at.column += 2;
                self.at.byte += 2;
            }
            return Err(TAG_MISMATCH);
        }
        let raw = self.consume(end + 1);
        self.close_element(&raw);
        Ok(true)
    }
    fn close_element(&mut self, raw: &[u8]) {
        if raw.is_empty() {
            // The end of an empty element is where its tag ends.
            self.move_to_now();
        }
        let Some(element) = self.open.pop() else { return };
        self.push(Event::End { name: element.name }, raw);
        for _ in 0..element.n_namespaces {
            if let Some((prefix, _)) = self.namespaces.pop() {
                let prefix = Some(prefix).filter(|prefix| !prefix.is_empty());
                self.push(Event::EndNamespace { prefix }, b"");
            }
        }
        self.element_ended();
    }

    fn uri_of(&self, prefix: &str) -> Option<String> {
        if prefix == "xml" {
            return Some(XML_NAMESPACE.to_owned());
        }
        let found = self.namespaces.iter().rev().find(|(known, _)| known == prefix);
        found.and_then(|(_, uri)| uri.clone())
    }
    /// A name as the receiver gets it: namespace, separator, local name (and prefix).
    fn expanded(&self, name: &str, default_applies: bool) -> Scanned<String> {
        let Some(separator) = &self.separator else { return Ok(name.to_owned()) };
        let (prefix, local) = match name.split_once(':') {
            Some((prefix, local)) if !prefix.is_empty() && !local.is_empty() && !local.contains(':') => (prefix, local),
            Some(_) => return Err(INVALID_TOKEN),
            None if !default_applies => return Ok(name.to_owned()),
            None => ("", name),
        };
        match self.uri_of(prefix) {
            Some(uri) if self.wishes.namespace_prefixes && !prefix.is_empty() => {
                Ok(format!("{uri}{separator}{local}{separator}{prefix}"))
            }
            Some(uri) => Ok(format!("{uri}{separator}{local}")),
            None if prefix.is_empty() => Ok(name.to_owned()),
            None => Err(UNBOUND_PREFIX),
        }
    }
    fn declare(&mut self, prefix: &str, uri: &str) -> Scanned<()> {
        match (prefix, uri) {
            ("xmlns", _) => return Err(RESERVED_PREFIX_XMLNS),
            ("xml", XML_NAMESPACE) => {}
            ("xml", _) => return Err(RESERVED_PREFIX_XML),
            (_, XML_NAMESPACE | XMLNS_NAMESPACE) => return Err(RESERVED_NAMESPACE_URI),
            ("", _) => {}
            (_, "") => return Err(UNDECLARING_PREFIX),
            _ => {}
        }
        let uri = Some(uri.to_owned()).filter(|uri| !uri.is_empty());
        self.namespaces.push((prefix.to_owned(), uri));
        Ok(())
    }
    #[allow(clippy::type_complexity)]
    fn resolve(
        &mut self,
        raw_name: &str,
        attributes: Attributes,
    ) -> Scanned<(String, Attributes, Vec<(Option<String>, Option<String>)>)> {
        if self.separator.is_none() {
            return Ok((raw_name.to_owned(), attributes, Vec::new()));
        }
        let mut declared = Vec::new();
        for (name, value) in &attributes.pairs {
            let prefix = match name.strip_prefix("xmlns") {
                Some("") => "",
                Some(prefix) if prefix.starts_with(':') => &prefix[1..],
                _ => continue,
            };
            self.declare(prefix, value)?;
            declared.push((
                Some(prefix.to_owned()).filter(|prefix| !prefix.is_empty()),
                Some(value.clone()).filter(|uri| !uri.is_empty()),
            ));
        }
        let mut pairs: Vec<(String, String)> = Vec::with_capacity(attributes.pairs.len());
        let mut n_specified = 0;
        for (at, (name, value)) in attributes.pairs.into_iter().enumerate() {
            if name == "xmlns" || name.starts_with("xmlns:") {
                continue;
            }
            let name = self.expanded(&name, false)?;
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(DUPLICATE_ATTRIBUTE);
            }
            n_specified += usize::from(at < attributes.n_specified);
            pairs.push((name, value));
        }
        let name = self.expanded(raw_name, true)?;
        Ok((name, Attributes { pairs, n_specified }, declared))
    }
}
