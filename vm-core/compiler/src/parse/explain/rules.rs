//! The text of `grammar` -> rules that `peg` runs.

use super::grammar::GRAMMAR;
use std::collections::HashMap;
use std::sync::OnceLock;

pub(super) enum Item {
    /// A token that reads so: an operator or a reserved word.
    Text(&'static str),
    /// A word that is reserved in this place only.
    Soft(&'static str),
    Token(Class),
    Rule(usize),
    Group(Vec<Alternative>),
    Optional(Box<Item>),
    /// At least so many.
    Repeat(Box<Item>, usize),
    Separated(Box<Item>, Box<Item>),
    Ahead(Box<Item>, bool),
    Cut,
    /// "expected '…'" when it is not there.
    Forced(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Name,
    Number,
    String,
    Newline,
    Indent,
    Dedent,
    End,
    TemplateStart,
    TemplateMiddle,
    TemplateEnd,
    SoftKeyword,
}

/// What an alternative gives.
pub(super) enum Action {
    Pass,
    Node(&'static str),
    Fold(&'static str),
    /// The kind of the last item, if there is more than one.
    Trail,
    Bound(&'static str),
    Raise(Raise),
}

/// An error: how, about which bound items, what it says.
pub(super) struct Raise {
    pub how: &'static str,
    pub about: Vec<&'static str>,
    pub message: String,
}

pub(super) struct Alternative {
    pub items: Vec<(Option<&'static str>, Item)>,
    pub action: Action,
    /// It leads into a rule of mistakes.
    pub is_invalid: bool,
}

pub(super) struct Rule {
    pub name: &'static str,
    pub alternatives: Vec<Alternative>,
}

pub(super) struct Rules {
    pub rules: Vec<Rule>,
    pub numbers: HashMap<&'static str, usize>,
}

/// The rules, read once.
pub(super) fn rules() -> &'static Rules {
    static RULES: OnceLock<Rules> = OnceLock::new();
    RULES.get_or_init(read)
}

fn read() -> Rules {
    // A rule begins in the first column.
    let mut texts: Vec<(&'static str, &'static str)> = Vec::new();
    let mut rest = GRAMMAR.trim_start();
    while !rest.is_empty() {
        let mut end = rest.len();
        for (at, _) in rest.match_indices('\n') {
            if rest[at + 1..].starts_with(|c: char| c.is_ascii_lowercase()) {
                end = at + 1;
                break;
            }
        }
        let (rule, more) = rest.split_at(end);
        if let Some((name, body)) = rule.split_once(':') {
            texts.push((name, body));
        }
        rest = more.trim_start_matches('\n');
    }
    let numbers: HashMap<_, _> = texts
        .iter()
        .enumerate()
        .map(|(number, (name, _))| (*name, number))
        .collect();
    let rules = texts
        .iter()
        .map(|(name, body)| Rule {
            name,
            alternatives: Reader {
                rest: body,
                numbers: &numbers,
            }
            .alternatives(),
        })
        .collect();
    Rules { rules, numbers }
}

struct Reader<'a> {
    rest: &'static str,
    numbers: &'a HashMap<&'static str, usize>,
}

impl Reader<'_> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn eat(&mut self, text: &str) -> bool {
        self.skip();
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn word(&mut self) -> &'static str {
        self.skip();
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn quoted(&mut self, quote: char) -> &'static str {
        let body = &self.rest[1..];
        let end = body.find(quote).unwrap_or(body.len());
        self.rest = body.get(end + 1..).unwrap_or("");
        &body[..end]
    }

    fn alternatives(mut self) -> Vec<Alternative> {
        self.choice()
    }

    fn choice(&mut self) -> Vec<Alternative> {
        let mut all = vec![self.alternative()];
        while self.eat("|") {
            all.push(self.alternative());
        }
        all
    }

    fn alternative(&mut self) -> Alternative {
        let mut items = Vec::new();
        let mut action = Action::Pass;
        let mut is_invalid = false;
        loop {
            self.skip();
            if self.rest.is_empty() || self.rest.starts_with(['|', ')']) {
                break;
            }
            if self.eat("->") {
                action = self.action();
                break;
            }
            if self.rest.starts_with("= ") {
                self.eat("=");
                action = Action::Bound(self.word());
                break;
            }
            let before = self.rest;
            let name = self.word();
            let bound = (!name.is_empty() && self.rest.starts_with('=') && !self.rest.starts_with("= "))
                .then_some(name);
            match bound {
                Some(_) => self.rest = &self.rest[1..],
                None => self.rest = before,
            }
            let item = self.item();
            let start = &before[..before.len() - self.rest.len()];
            is_invalid |= start.contains("invalid_") && !start.contains("_without_invalid");
            items.push((bound, item));
        }
        Alternative {
            items,
            action,
            is_invalid,
        }
    }

    fn action(&mut self) -> Action {
        if !self.eat("!") {
            return match self.word() {
                "fold" => Action::Fold(self.word()),
                "trail" => Action::Trail,
                kind => Action::Node(kind),
            };
        }
        let how = self.word();
        let mut about = Vec::new();
        self.skip();
        while self.rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            about.push(self.word());
            self.skip();
        }
        let mut message = String::new();
        if self.rest.starts_with('"') {
            // Quotes inside are escaped.
            let mut chars = self.rest.char_indices().skip(1);
            while let Some((at, c)) = chars.next() {
                match c {
                    '\\' => message.extend(chars.next().map(|(_, c)| c)),
                    '"' => {
                        self.rest = &self.rest[at + 1..];
                        break;
                    }
                    c => message.push(c),
                }
            }
        }
        Action::Raise(Raise { how, about, message })
    }

    fn item(&mut self) -> Item {
        self.skip();
        if self.eat("&&") {
            return Item::Forced(self.quoted('\''));
        }
        if self.eat("&") {
            return Item::Ahead(Box::new(self.atom()), true);
        }
        if self.rest.starts_with('!') {
            self.eat("!");
            return Item::Ahead(Box::new(self.atom()), false);
        }
        if self.eat("~") {
            return Item::Cut;
        }
        let atom = self.atom();
        if let Some(rest) = self.rest.strip_prefix('.')
            && !rest.starts_with([' ', '.'])
        {
            self.rest = rest;
            let element = self.atom();
            self.eat("+");
            return Item::Separated(Box::new(atom), Box::new(element));
        }
        match self.rest.chars().next() {
            Some('?') => {
                self.rest = &self.rest[1..];
                Item::Optional(Box::new(atom))
            }
            Some('*') => {
                self.rest = &self.rest[1..];
                Item::Repeat(Box::new(atom), 0)
            }
            Some('+') => {
                self.rest = &self.rest[1..];
                Item::Repeat(Box::new(atom), 1)
            }
            _ => atom,
        }
    }

    fn atom(&mut self) -> Item {
        self.skip();
        match self.rest.chars().next() {
            Some('(') => {
                self.eat("(");
                let group = self.choice();
                self.eat(")");
                Item::Group(group)
            }
            Some('\'') => Item::Text(self.quoted('\'')),
            Some('"') => Item::Soft(self.quoted('"')),
            _ => {
                let name = self.word();
                let class = match name {
                    "NAME" => Class::Name,
                    "NUMBER" => Class::Number,
                    "STRING" => Class::String,
                    "NEWLINE" => Class::Newline,
                    "INDENT" => Class::Indent,
                    "DEDENT" => Class::Dedent,
                    "ENDMARKER" => Class::End,
                    "FSTART" => Class::TemplateStart,
                    "FMIDDLE" => Class::TemplateMiddle,
                    "FEND" => Class::TemplateEnd,
                    "SOFT_KEYWORD" => Class::SoftKeyword,
                    _ => match self.numbers.get(name) {
                        Some(number) => return Item::Rule(*number),
                        None => unreachable!("the grammar has no rule {name:?} before {:?}", self.rest),
                    },
                };
                Item::Token(class)
            }
        }
    }
}
