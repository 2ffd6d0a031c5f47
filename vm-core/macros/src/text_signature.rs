//! text signature (`"($self, x, /, *, key=None)"`) -> parameters: the form that CPython shows as `__text_signature__`.
//! Tests: the end of this file.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    PositionalOnly,
    PositionalOrKeyword,
    KeywordOnly,
    VarArgs,
    VarKeywords,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    pub name: String,
    pub kind: Kind,
    pub default: Option<String>,
}

impl Param {
    pub fn is_var(&self) -> bool {
        matches!(self.kind, Kind::VarArgs | Kind::VarKeywords)
    }
}

#[derive(Clone, Debug, Default)]
pub struct TextSignature {
    /// As written, for the docstring.
    pub text: String,
    /// `self`, `module` or `type` where the text has `$self` and so on.
    pub receiver: Option<String>,
    /// In the order of the text.
    pub params: Vec<Param>,
    /// The text began with `~`: it tells how arguments are bound, and the docstring gets no signature line.
    pub hidden: bool,
    /// The text is `(...)`, which no `inspect.Signature` can express: the docstring gets no signature line.
    pub opaque: bool,
}

/// Which calling convention a signature asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convention {
    NoArgs,
    O,
    Fastcall,
    FastcallKeywords,
}

impl TextSignature {
    pub fn parse(text: &str) -> Result<Self, String> {
        let hidden = text.trim().starts_with('~');
        let text = text.trim().trim_start_matches('~');
        let inner = text
            .trim()
            .strip_prefix('(')
            .and_then(|rest| rest.strip_suffix(')'))
            .ok_or_else(|| format!("a text signature is written in parentheses, got {text:?}"))?;
        let mut signature = TextSignature {
            text: text.trim().to_owned(),
            hidden,
            ..Self::default()
        };
        let mut after_star = false;
        for piece in split_top_level(&without_groups(inner))? {
            signature.add_piece(piece.trim(), &mut after_star)?;
        }
        signature.check()?;
        Ok(signature)
    }

    fn add_piece(&mut self, piece: &str, after_star: &mut bool) -> Result<(), String> {
        match piece {
            "" => return Ok(()),
            "..." => self.opaque = true,
            "/" => {
                for param in &mut self.params {
                    if param.kind != Kind::PositionalOrKeyword {
                        return Err("'/' must come before '*'".into());
                    }
                    param.kind = Kind::PositionalOnly;
                }
                // Further parameters after a second '/' would be a mistake; Python says so too.
            }
            "*" => *after_star = true,
            _ => {
                if let Some(name) = piece.strip_prefix('$') {
                    if self.receiver.is_some() || !self.params.is_empty() {
                        return Err(format!("'${name}' must come first"));
                    }
                    self.receiver = Some(name.to_owned());
                    return Ok(());
                }
                let (kind, rest) = if let Some(rest) = piece.strip_prefix("**") {
                    (Kind::VarKeywords, rest)
                } else if let Some(rest) = piece.strip_prefix('*') {
                    *after_star = true;
                    (Kind::VarArgs, rest)
                } else if *after_star {
                    (Kind::KeywordOnly, piece)
                } else {
                    (Kind::PositionalOrKeyword, piece)
                };
                let (name, default) = match rest.split_once('=') {
                    Some((name, default)) => (name.trim(), Some(default.trim().to_owned())),
                    None => (rest.trim(), None),
                };
                let starts_well = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
                if !starts_well || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
                    return Err(format!("{name:?} is not a parameter name"));
                }
                self.params.push(Param {
                    name: name.to_owned(),
                    kind,
                    default,
                });
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        let mut seen_default = false;
        for param in &self.params {
            match param.kind {
                Kind::PositionalOnly | Kind::PositionalOrKeyword => {
                    if param.default.is_some() {
                        seen_default = true;
                    } else if seen_default {
                        return Err(format!(
                            "parameter '{}' without a default follows one with a default",
                            param.name
                        ));
                    }
                }
                Kind::VarArgs | Kind::VarKeywords if param.default.is_some() => {
                    return Err(format!("'*{}' can have no default", param.name));
                }
                _ => {}
            }
        }
        if let Some(at) = self.params.iter().position(|p| p.kind == Kind::VarKeywords)
            && at + 1 != self.params.len()
        {
            return Err("'**' must come last".into());
        }
        Ok(())
    }

    fn count(&self, kind: Kind) -> usize {
        self.params.iter().filter(|p| p.kind == kind).count()
    }

    pub fn n_posonly(&self) -> usize {
        self.count(Kind::PositionalOnly)
    }

    /// Parameters that can be given by position, without `*args`.
    pub fn n_positional(&self) -> usize {
        self.n_posonly() + self.count(Kind::PositionalOrKeyword)
    }

    pub fn n_required_positional(&self) -> usize {
        self.params
            .iter()
            .filter(|p| {
                matches!(p.kind, Kind::PositionalOnly | Kind::PositionalOrKeyword) && p.default.is_none()
            })
            .count()
    }

    pub fn has_varargs(&self) -> bool {
        self.count(Kind::VarArgs) != 0
    }

    pub fn has_varkw(&self) -> bool {
        self.count(Kind::VarKeywords) != 0
    }

    /// The parameters that have a slot: everything but `*args` and `**kwargs`.
    pub fn slots(&self) -> impl Iterator<Item = &Param> {
        self.params.iter().filter(|p| !p.is_var())
    }

    /// Whether nothing can be given by keyword.
    pub fn positional_only(&self) -> bool {
        self.params
            .iter()
            .all(|p| matches!(p.kind, Kind::PositionalOnly | Kind::VarArgs))
    }

    pub fn convention(&self) -> Convention {
        if self.params.is_empty() {
            Convention::NoArgs
        } else if self.positional_only() {
            let only_one = self.params.len() == 1 && self.n_required_positional() == 1;
            // A METH_O function has a signature in any case.
            if only_one && !self.hidden {
                Convention::O
            } else {
                Convention::Fastcall
            }
        } else {
            Convention::FastcallKeywords
        }
    }
}

/// Writes optional groups (`sub[, start[, end]]`) as parameters with a default.
fn without_groups(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut groups, mut begun_in_group, mut others) = (0usize, false, 0usize);
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match c {
            '\'' | '"' if quote.is_none() => quote = Some(c),
            _ if quote.is_some() && quote == Some(c) => {
                quote = None;
            }
            '[' if text[at + 1..].trim_start().starts_with(',') => {
                groups += 1;
                continue;
            }
            '[' => others += 1,
            ']' if others > 0 => others -= 1,
            ',' | ']' => {
                if std::mem::take(&mut begun_in_group) {
                    out.push_str("=<unrepresentable>");
                }
                if c == ']' {
                    groups = groups.saturating_sub(1);
                    continue;
                }
                begun_in_group = groups > 0;
            }
            _ => {}
        }
        out.push(c);
    }
    out
}

/// Splits at the commas that stand outside quotes and brackets.
fn split_top_level(text: &str) -> Result<Vec<&str>, String> {
    let mut pieces = Vec::new();
    let (mut depth, mut start) = (0usize, 0);
    let mut quote: Option<char> = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if let Some(q) = quote {
            if escaped {
                escaped = false;
            } else if c == '\\' {
                escaped = true;
            } else if c == q {
                quote = None;
            }
            continue;
        }
        match c {
            '\'' | '"' => quote = Some(c),
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.checked_sub(1).ok_or("unbalanced brackets in a default")?,
            ',' if depth == 0 => {
                pieces.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if quote.is_some() || depth != 0 {
        return Err("unbalanced quotes or brackets in a default".into());
    }
    pieces.push(&text[start..]);
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, convention: Convention, counts: (usize, usize, usize)) {
        let signature = TextSignature::parse(text).expect(text);
        assert_eq!(signature.convention(), convention, "{text}");
        let found = (
            signature.n_posonly(),
            signature.n_positional(),
            signature.n_required_positional(),
        );
        assert_eq!(found, counts, "{text}");
    }

    #[test]
    fn conventions() {
        check("($self, /)", Convention::NoArgs, (0, 0, 0));
        check("($self, object, /)", Convention::O, (1, 1, 1));
        check("($self, index=-1, /)", Convention::Fastcall, (1, 1, 0));
        check("($module, *args)", Convention::Fastcall, (0, 0, 0));
        check(
            "($self, /, *, key=None, reverse=False)",
            Convention::FastcallKeywords,
            (0, 0, 0),
        );
        check(
            "($self, /, sep=', ', maxsplit=-1)",
            Convention::FastcallKeywords,
            (0, 2, 0),
        );
        check("(iterable=(), /)", Convention::Fastcall, (1, 1, 0));
        check(
            "($module, func, /, *args, **kwds)",
            Convention::FastcallKeywords,
            (1, 1, 1),
        );
    }

    #[test]
    fn refused() {
        assert!(TextSignature::parse("x, y").is_err());
        assert!(TextSignature::parse("(x=1, y)").is_err());
        assert!(TextSignature::parse("(**kw, y)").is_err());
        assert!(TextSignature::parse("(x=(1, y)").is_err());
    }
}
