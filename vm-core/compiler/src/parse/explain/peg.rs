//! Runs the rules over the tokens. The first pass finds how far the text is Python; the second, with the rules of mistakes,
//! what is wrong. Every result is remembered, so the time is linear.

use super::rules::{Action, Alternative, Class, Item, Raise, Rules, rules};
use crate::parse::tokenizer::{Kind, Token};
use std::rc::Rc;

/// A piece of the text that was recognised.
pub(super) struct Tree {
    pub kind: &'static str,
    /// Its tokens, the last one inclusive. An empty piece ends before it begins.
    pub first: usize,
    pub last: isize,
    pub parts: Vec<Node>,
}

pub(super) type Node = Rc<Tree>;

/// Why a pass was broken off.
pub(super) enum Stop {
    /// The tokens ended in an error of the tokenizer, or inside brackets.
    Tokens,
    /// The text nests too deeply to say.
    TooDeep,
    /// A mistake was recognised: the place as tokens, and what to say.
    Mistake(Mistake),
}

pub(super) enum Mistake {
    /// From the start of a token to the end of another.
    Range(usize, usize, String),
    /// From the start of a token to the last character of the token that was read last.
    From(usize, String),
    /// At the token that was read last.
    AtLast(String),
    /// At the next token.
    AtNext(usize, String),
    /// A body is missing; the keyword of the statement, and what it is.
    Indent(Option<(usize, String)>, String),
    /// A dict key has no value.
    Key(usize, usize),
}

type Step = Result<Option<Node>, Stop>;

pub(super) struct Peg<'a> {
    rules: &'static Rules,
    pub source: &'a str,
    pub tokens: &'a [Token],
    /// The tokens end before the text does.
    pub cut_off: bool,
    mark: usize,
    depth: usize,
    /// How many tokens were looked at.
    pub read: usize,
    mistakes: bool,
    memo: Vec<Vec<(usize, Option<(Node, usize)>)>>,
}

/// Rules inside rules.
const MAX_DEPTH: usize = 20_000;

const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

impl<'a> Peg<'a> {
    pub fn new(source: &'a str, tokens: &'a [Token], cut_off: bool) -> Peg<'a> {
        Peg {
            rules: rules(),
            source,
            tokens,
            cut_off,
            mark: 0,
            depth: 0,
            read: 0,
            mistakes: false,
            memo: vec![Vec::new(); tokens.len() + 1],
        }
    }

    /// Whether the tokens are what a rule describes.
    pub fn pass(&mut self, start: &str, mistakes: bool) -> Result<bool, Stop> {
        self.mark = 0;
        self.depth = 0;
        self.read = 0;
        self.mistakes = mistakes;
        self.memo.iter_mut().for_each(Vec::clear);
        let number = self.rules.numbers[start];
        Ok(self.rule(number)?.is_some())
    }

    pub fn text(&self, index: usize) -> &'a str {
        self.tokens.get(index).map_or("", |token| {
            &self.source[token.start..token.end.min(self.source.len())]
        })
    }

    /// The token at the mark.
    fn peek(&mut self) -> Result<Token, Stop> {
        let token = self.tokens.get(self.mark).copied();
        match token {
            Some(token) if !(token.kind == Kind::End && self.cut_off) => {
                self.read = self.read.max(self.mark + 1);
                Ok(token)
            }
            _ => {
                self.read = self.read.max(self.mark + 1);
                Err(Stop::Tokens)
            }
        }
    }

    fn leaf(&mut self, kind: &'static str) -> Node {
        let node = Rc::new(Tree {
            kind,
            first: self.mark,
            last: self.mark as isize,
            parts: Vec::new(),
        });
        self.mark += 1;
        node
    }

    fn rule(&mut self, number: usize) -> Step {
        let start = self.mark;
        if let Some((_, known)) = self.memo[start].iter().find(|(rule, _)| *rule == number) {
            return Ok(known.as_ref().map(|(node, end)| {
                self.mark = *end;
                node.clone()
            }));
        }
        let rule = &self.rules.rules[number];
        let without = rule.name == "expression_without_invalid";
        let mistakes = self.mistakes;
        if without {
            self.mistakes = false;
        }
        if self.depth >= MAX_DEPTH {
            return Err(Stop::TooDeep);
        }
        self.depth += 1;
        let result = stacker::maybe_grow(128 * 1024, 4 * 1024 * 1024, || self.choice(&rule.alternatives));
        self.depth -= 1;
        self.mistakes = mistakes;
        let result = result?;
        let known = result.clone().map(|node| (node, self.mark));
        self.memo[start].push((number, known));
        if result.is_some() && rule.name == "statement" {
            // Nobody comes back to what is inside.
            let end = self.mark;
            self.memo[start + 1..end]
                .iter_mut()
                .for_each(|memo| *memo = Vec::new());
        }
        Ok(result)
    }

    fn choice(&mut self, alternatives: &'static [Alternative]) -> Step {
        let start = self.mark;
        for alternative in alternatives {
            if alternative.is_invalid && !self.mistakes {
                continue;
            }
            let mut cut = false;
            if let Some(node) = self.alternative(alternative, &mut cut)? {
                return Ok(Some(node));
            }
            self.mark = start;
            if cut {
                break;
            }
        }
        Ok(None)
    }

    fn alternative(&mut self, alternative: &'static Alternative, cut: &mut bool) -> Step {
        let start = self.mark;
        let mut parts: Vec<Node> = Vec::with_capacity(alternative.items.len());
        let mut bound: Vec<(&'static str, Node)> = Vec::new();
        for (name, item) in &alternative.items {
            match item {
                Item::Cut => *cut = true,
                Item::Ahead(item, wanted) => {
                    let mark = self.mark;
                    let found = self.item(item)?.is_some();
                    self.mark = mark;
                    if found != *wanted {
                        return Ok(None);
                    }
                }
                _ => {
                    let Some(node) = self.item(item)? else {
                        return Ok(None);
                    };
                    if let Some(name) = name {
                        bound.push((name, node.clone()));
                    }
                    parts.push(node);
                }
            }
        }
        let of = |name: &str| {
            bound
                .iter()
                .find(|(bound, _)| *bound == name)
                .map(|(_, node)| node.clone())
        };
        match &alternative.action {
            Action::Pass if parts.len() == 1 => Ok(parts.pop()),
            Action::Pass => Ok(Some(self.node("", start, parts))),
            Action::Node("strings") => {
                let template = parts
                    .iter()
                    .flat_map(|part| &part.parts)
                    .any(|part| part.kind == "JoinedStr");
                let kind = match template {
                    true if self.template_at(start) == 't' => "TemplateStr",
                    true => "JoinedStr",
                    false => "Constant",
                };
                Ok(Some(self.node(kind, start, parts)))
            }
            Action::Node(kind) => Ok(Some(self.node(kind, start, parts))),
            Action::Fold(kind) => {
                let more = parts.len() > 1 && parts[1].last >= parts[1].first as isize;
                Ok(Some(match parts.first() {
                    Some(first) if !more => first.clone(),
                    _ => self.node(kind, start, parts),
                }))
            }
            Action::Trail => {
                let last = parts
                    .get(1)
                    .and_then(|trailers| trailers.parts.last())
                    .map(|last| last.kind);
                Ok(Some(match (last, parts.first()) {
                    (None, Some(first)) => first.clone(),
                    (kind, _) => self.node(kind.unwrap_or(""), start, parts),
                }))
            }
            Action::Bound(name) => Ok(of(name)),
            Action::Raise(raise) => {
                let about: Vec<Node> = raise.about.iter().filter_map(|name| of(name)).collect();
                self.raise(raise, &about)
            }
        }
    }

    fn node(&self, kind: &'static str, first: usize, parts: Vec<Node>) -> Node {
        Rc::new(Tree {
            kind,
            first,
            last: self.mark as isize - 1,
            parts,
        })
    }

    fn item(&mut self, item: &'static Item) -> Step {
        match item {
            Item::Rule(number) => self.rule(*number),
            Item::Group(alternatives) => self.choice(alternatives),
            Item::Text(text) => {
                let token = self.peek()?;
                let found = matches!(token.kind, Kind::Name | Kind::Op) && self.text(self.mark) == *text;
                Ok(found.then(|| self.leaf("")))
            }
            Item::Soft(text) => {
                let token = self.peek()?;
                let found = token.kind == Kind::Name && self.text(self.mark) == *text;
                Ok(found.then(|| self.leaf("Name")))
            }
            Item::Token(class) => self.token(*class),
            Item::Forced(text) => {
                let token = self.peek()?;
                if matches!(token.kind, Kind::Name | Kind::Op) && self.text(self.mark) == *text {
                    return Ok(Some(self.leaf("")));
                }
                if !self.mistakes {
                    return Ok(None);
                }
                Err(Stop::Mistake(Mistake::AtNext(
                    self.mark,
                    format!("expected '{text}'"),
                )))
            }
            Item::Optional(item) => {
                let start = self.mark;
                match self.item(item)? {
                    Some(node) => Ok(Some(node)),
                    None => {
                        self.mark = start;
                        Ok(Some(self.node("", start, Vec::new())))
                    }
                }
            }
            Item::Repeat(item, least) => {
                let start = self.mark;
                let mut parts = Vec::new();
                loop {
                    let mark = self.mark;
                    match self.item(item)? {
                        Some(node) if self.mark > mark => parts.push(node),
                        _ => {
                            self.mark = mark;
                            break;
                        }
                    }
                }
                Ok((parts.len() >= *least).then(|| self.node("", start, parts)))
            }
            Item::Separated(separator, element) => {
                let start = self.mark;
                let Some(first) = self.item(element)? else {
                    return Ok(None);
                };
                let mut parts = vec![first];
                loop {
                    let mark = self.mark;
                    if self.item(separator)?.is_some()
                        && let Some(node) = self.item(element)?
                    {
                        parts.push(node);
                        continue;
                    }
                    self.mark = mark;
                    break;
                }
                Ok(Some(self.node("", start, parts)))
            }
            Item::Ahead(..) | Item::Cut => Ok(None),
        }
    }

    fn token(&mut self, class: Class) -> Step {
        let token = self.peek()?;
        let text = self.text(self.mark);
        let is_keyword = || KEYWORDS.contains(&text);
        let (found, kind) = match class {
            Class::Name => (token.kind == Kind::Name && !is_keyword(), "Name"),
            Class::SoftKeyword => (
                token.kind == Kind::Name && matches!(text, "match" | "case" | "_" | "type"),
                "Name",
            ),
            Class::Number => (token.kind == Kind::Number, "Constant"),
            Class::String => (token.kind == Kind::String, "Constant"),
            Class::Newline => (token.kind == Kind::Newline, ""),
            Class::Indent => (token.kind == Kind::Indent, ""),
            Class::Dedent => (token.kind == Kind::Dedent, ""),
            Class::End => (token.kind == Kind::End, ""),
            Class::TemplateStart => (token.kind == Kind::TemplateStart, ""),
            Class::TemplateMiddle => (token.kind == Kind::TemplateMiddle, ""),
            Class::TemplateEnd => (token.kind == Kind::TemplateEnd, ""),
        };
        Ok(found.then(|| self.leaf(kind)))
    }

    /// The letter of the innermost f-string or t-string around a token.
    fn template_at(&self, index: usize) -> char {
        let mut open = Vec::new();
        for at in 0..=index.min(self.tokens.len().saturating_sub(1)) {
            match self.tokens[at].kind {
                Kind::TemplateStart => open.push(at),
                Kind::TemplateEnd => drop(open.pop()),
                _ => {}
            }
        }
        match open.last() {
            Some(at) if self.text(*at).contains(['t', 'T']) => 't',
            _ => 'f',
        }
    }

    fn raise(&self, raise: &Raise, about: &[Node]) -> Step {
        let mut message = raise.message.clone();
        if let Some(first) = about.first() {
            message = message.replace("%s", expression_name(first));
            message = message.replace("%t", self.text(first.first));
        }
        if message.contains("%f") {
            let kind = self.template_at(self.mark.saturating_sub(1));
            message = message.replace("%f", &kind.to_string());
        }
        let mistake = match (raise.how, about) {
            ("known", [a, ..]) => range(a, a, message),
            ("range", [a, b, ..]) => range(a, b, message),
            ("from", [a, ..]) => Mistake::From(a.first, message),
            ("last", _) => Mistake::AtLast(message),
            ("next", _) => Mistake::AtNext(self.mark, message),
            ("indent", [a, ..]) => Mistake::Indent(Some((a.first, message)), String::new()),
            ("indent", _) => Mistake::Indent(None, message),
            ("key", [a, ..]) => Mistake::Key(a.first, a.last.max(0) as usize),
            ("target", [a, ..]) => {
                let how = raise.about[0];
                match invalid_target(a, how) {
                    Some(target) => {
                        let verb = if how == "delete" { "delete" } else { "assign to" };
                        range(
                            &target,
                            &target,
                            format!("cannot {verb} {}", expression_name(&target)),
                        )
                    }
                    None if how == "for" => return Ok(None),
                    None => Mistake::AtLast("invalid syntax".into()),
                }
            }
            ("comma", [a, b]) => {
                let bare = self
                    .mark
                    .checked_sub(1)
                    .is_none_or(|last| self.tokens[last].level == 0);
                if self.is_legacy(a) || bare {
                    return Ok(None);
                }
                range(a, b, "invalid syntax. Perhaps you forgot a comma?".into())
            }
            ("legacy", [a, b]) => {
                if !self.is_legacy(a) {
                    return Ok(None);
                }
                let name = self.text(a.first);
                let message = format!("Missing parentheses in call to '{name}'. Did you mean {name}(...)?");
                range(a, b, message)
            }
            ("bound", [a, e, ..]) => {
                let what = if e.kind == "Tuple" { "constraints" } else { "bound" };
                let kind = raise.about.last().copied().unwrap_or("");
                Mistake::From(a.first, format!("cannot use {what} with {kind}"))
            }
            ("genexp", [a, b]) => {
                let Some(last) = last_of_several(a) else {
                    return Ok(None);
                };
                range(&last, b, "Generator expression must be parenthesized".into())
            }
            ("order", [a]) => {
                let unpacks = contains_double_star(a);
                let end = if unpacks { " unpacking" } else { "" };
                Mistake::AtLast(format!("positional argument follows keyword argument{end}"))
            }
            _ => return Ok(None),
        };
        Err(Stop::Mistake(mistake))
    }

    fn is_legacy(&self, node: &Node) -> bool {
        node.kind == "Name" && matches!(self.text(node.first), "print" | "exec")
    }
}

fn range(a: &Node, b: &Node, message: String) -> Mistake {
    Mistake::Range(a.first, b.last.max(0) as usize, message)
}

/// The last positional argument, if there are several.
fn last_of_several(args: &Node) -> Option<Node> {
    let list = args.parts.first()?;
    (list.parts.len() > 1)
        .then(|| list.parts.last().cloned())
        .flatten()
}

/// Whether the last keyword argument is an unpacking.
fn contains_double_star(node: &Node) -> bool {
    match node.parts.last() {
        _ if node.kind == "DoubleStar" => true,
        Some(last) => {
            let full = node
                .parts
                .iter()
                .rev()
                .find(|part| part.last >= part.first as isize);
            contains_double_star(full.unwrap_or(last))
        }
        None => false,
    }
}

/// The part of an expression that is no target.
fn invalid_target(node: &Node, how: &str) -> Option<Node> {
    match node.kind {
        "Name" | "Attribute" | "Subscript" => None,
        "List" | "Tuple" => elements(node)
            .iter()
            .find_map(|element| invalid_target(element, how)),
        "Starred" if how == "delete" => Some(node.clone()),
        "Starred" => node.parts.get(1).and_then(|value| invalid_target(value, how)),
        "Compare" if how == "for" => {
            let first = node.parts.get(1).and_then(|pairs| pairs.parts.first());
            match (first, node.parts.first()) {
                (Some(pair), Some(left)) if pair.kind == "InPair" => invalid_target(left, how),
                _ => None,
            }
        }
        _ => Some(node.clone()),
    }
}

/// The expressions directly inside a list or tuple.
fn elements(node: &Node) -> Vec<Node> {
    let mut found = Vec::new();
    for part in &node.parts {
        if part.kind.is_empty() {
            found.extend(elements(part));
        } else {
            found.push(part.clone());
        }
    }
    found
}

/// What messages call an expression.
fn expression_name(node: &Node) -> &'static str {
    match node.kind {
        "Name" => "name",
        "Attribute" => "attribute",
        "Subscript" => "subscript",
        "Starred" => "starred",
        "List" => "list",
        "Tuple" => "tuple",
        "Lambda" => "lambda",
        "Call" => "function call",
        "BinOp" => "expression",
        "GeneratorExp" => "generator expression",
        "Yield" => "yield expression",
        "Await" => "await expression",
        "ListComp" => "list comprehension",
        "SetComp" => "set comprehension",
        "DictComp" => "dict comprehension",
        "Dict" => "dict literal",
        "Set" => "set display",
        "JoinedStr" => "f-string expression",
        "TemplateStr" => "t-string expression",
        "Compare" => "comparison",
        "IfExp" => "conditional expression",
        "NamedExpr" => "named expression",
        "True" => "True",
        "False" => "False",
        "None" => "None",
        "Ellipsis" => "ellipsis",
        _ => "literal",
    }
}
