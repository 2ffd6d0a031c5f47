//! ruff parser errors -> CompileError with CPython's messages and positions. The tokenizer's errors win, as in CPython; then the
//! parser's first error is translated with the tokens around it. `targets` names the expressions in assignment errors.

use super::Mode;
use super::source::LineIndex;
use super::targets;
use super::tokenizer::{END_MINUS_ONE, END_ZERO, Kind, Token, Tokens, tokenize};
use crate::bytecode::Position;
use crate::error::{CompileError, CompileWarning, ErrorKind};
use ruff_python_ast as ruff;
use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{LexicalErrorType, ParseError, ParseErrorType, Parsed};
use ruff_text_size::{TextRange, TextSize};

/// Deepest nesting of brackets, as CPython's tokenizer has it.
pub const MAX_BRACKETS: usize = 200;

/// Refuses absurd nesting of brackets before the parser sees it. Strings and comments are not skipped, so the bound is
/// generous here; the tokenizer checks exactly.
pub fn check_nesting(source: &str, lines: &LineIndex) -> Option<CompileError> {
    let mut depth = 0usize;
    let mut deepest = 0;
    for byte in source.bytes() {
        match byte {
            b'(' | b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    if deepest < MAX_BRACKETS {
        return None;
    }
    let error = tokenize(source, lines).error?;
    error.message.starts_with("too many nested").then_some(error)
}

/// The error that CPython would report for a parse, if any.
pub fn first_error(
    parsed: &Parsed<ruff::Mod>,
    source: &str,
    lines: &LineIndex,
    _mode: Mode,
) -> Option<CompileError> {
    let error = parsed.errors().iter().min_by_key(|e| e.location.start());
    let Some(error) = error else {
        let unsupported = parsed.unsupported_syntax_errors().first()?;
        let pos = lines.position(unsupported.range);
        let kind = format!("{:?}", unsupported.kind);
        let message = if kind.contains("UnpackingInComprehension(DictInDict") {
            "dict unpacking cannot be used in dict comprehension"
        } else if kind.contains("UnpackingInComprehension") {
            "iterable unpacking cannot be used in comprehension"
        } else {
            "invalid syntax"
        };
        return Some(CompileError::syntax(message, pos));
    };
    let tokens = tokenize(source, lines);
    let context = Context {
        source,
        lines,
        tokens: &tokens,
        syntax: parsed.syntax(),
    };
    if let Some(tokenizer_error) = &tokens.error {
        let indent_first = matches!(error.error, ParseErrorType::UnexpectedIndentation);
        if !indent_first || error_line(lines, error) > tokenizer_error.lineno {
            return Some(tokenizer_error.clone());
        }
    }
    let parser_error = context.translate(error);
    // Brackets that are still open at the end explain an error on a later line.
    if let Some(open) = tokens.unclosed
        && tokens.error.is_none()
    {
        let (open_line, col) = lines.line_col(TextSize::new(open as u32));
        let at_end = error.location.start().to_usize() >= source.trim_end().len();
        let reported = parser_error.lineno > open_line || open >= error.location.start().to_usize();
        if reported && parser_error.message.starts_with("invalid syntax") || at_end {
            let bracket = source.as_bytes()[open] as char;
            let pos = Position {
                line: open_line,
                end_line: open_line,
                col,
                end_col: END_ZERO,
            };
            return Some(CompileError::syntax(format!("'{bracket}' was never closed"), pos));
        }
    }
    Some(parser_error)
}

fn error_line(lines: &LineIndex, error: &ParseError) -> i32 {
    lines.line_col(error.location.start()).0
}

/// What a translation may look at.
pub(super) struct Context<'a> {
    pub source: &'a str,
    pub lines: &'a LineIndex,
    pub tokens: &'a Tokens,
    pub syntax: &'a ruff::Mod,
}

impl Context<'_> {
    fn position(&self, start: usize, end: usize) -> Position {
        self.lines.position(TextRange::new(
            (start as u32).into(),
            (end.max(start) as u32).into(),
        ))
    }

    pub(super) fn syntax_error(&self, message: impl Into<String>, start: usize, end: usize) -> CompileError {
        CompileError::syntax(message, self.position(start, end))
    }

    /// "invalid syntax" at the token after a byte offset.
    pub(super) fn invalid_after(&self, at: usize) -> CompileError {
        self.invalid_at(self.token_at(at))
    }

    /// Whether `= value` follows a byte offset.
    pub(super) fn value_follows(&self, at: usize) -> bool {
        let tokens = &self.tokens.tokens;
        let mut index = self.token_at(at);
        while self.text(&tokens[index]) == ")" {
            index += 1;
        }
        self.text(&tokens[index]) == "=" && tokens.get(index + 1).is_some_and(|t| self.starts_expression(t))
    }

    fn text(&self, token: &Token) -> &str {
        &self.source[token.start..token.end.min(self.source.len())]
    }

    /// Index of the first token that ends after a byte offset.
    fn token_at(&self, at: usize) -> usize {
        let tokens = &self.tokens.tokens;
        let index = tokens.partition_point(|token| token.end <= at && token.kind != Kind::End);
        index.min(tokens.len().saturating_sub(1))
    }

    /// "invalid syntax" at a token. A newline is shown as one character wide.
    fn invalid_at(&self, index: usize) -> CompileError {
        self.at_token("invalid syntax", index)
    }

    pub(super) fn at_token(&self, message: &str, index: usize) -> CompileError {
        let Some(token) = self.tokens.tokens.get(index) else {
            return self.syntax_error(message, self.source.len(), self.source.len());
        };
        let mut pos = self.position(token.start, token.end);
        if matches!(token.kind, Kind::Newline | Kind::End) {
            pos = self.position(token.start, token.start);
            pos.end_col = pos.col + 1;
        }
        if matches!(token.kind, Kind::Indent) {
            return self.unexpected_indent(token);
        }
        CompileError::syntax(message, pos)
    }

    fn unexpected_indent(&self, token: &Token) -> CompileError {
        let (line, col) = self.lines.line_col(TextSize::new(token.end as u32));
        let pos = Position {
            line,
            end_line: line,
            col: col - 1,
            end_col: END_MINUS_ONE,
        };
        CompileError::at(ErrorKind::IndentationError, "unexpected indent", pos)
    }

    fn translate(&self, error: &ParseError) -> CompileError {
        let start = error.location.start().to_usize();
        let end = error.location.end().to_usize();
        let index = self.token_at(start);
        let here = |message: &str| self.syntax_error(message, start, end);
        match &error.error {
            ParseErrorType::UnexpectedIndentation => {
                let tokens = &self.tokens.tokens;
                let indent = tokens.iter().find(|t| t.kind == Kind::Indent && t.end > start);
                indent.map_or_else(
                    || here("unexpected indent"),
                    |token| self.unexpected_indent(token),
                )
            }
            ParseErrorType::SimpleStatementsOnSameLine
            | ParseErrorType::SimpleAndCompoundStatementOnSameLine => self.adjacent_statements(index),
            ParseErrorType::ExpectedToken { expected, .. } => self.expected_token(*expected, index),
            ParseErrorType::ExpectedExpression => self.expected_expression(index),
            ParseErrorType::UnexpectedExpressionToken => self.in_expression(index),
            ParseErrorType::InvalidAssignmentTarget
            | ParseErrorType::InvalidNamedAssignmentTarget
            | ParseErrorType::InvalidAnnotatedAssignmentTarget
            | ParseErrorType::InvalidAugmentedAssignmentTarget
            | ParseErrorType::InvalidDeleteTarget => targets::invalid_target(self, error),
            ParseErrorType::PositionalAfterKeywordArgument => {
                self.after_arguments("positional argument follows keyword argument", start)
            }
            ParseErrorType::PositionalAfterKeywordUnpacking => {
                self.after_arguments("positional argument follows keyword argument unpacking", start)
            }
            ParseErrorType::InvalidArgumentUnpackingOrder => {
                let from = self.previous_starred(start).unwrap_or(start);
                self.syntax_error(
                    "iterable argument unpacking follows keyword argument unpacking",
                    from,
                    end,
                )
            }
            ParseErrorType::IterableUnpackingInComprehension => {
                here("iterable unpacking cannot be used in comprehension")
            }
            ParseErrorType::UnparenthesizedGeneratorExpression => {
                if self.in_class_arguments(start) {
                    let at = self.find_from(index, "for");
                    return self.invalid_at(at);
                }
                here("Generator expression must be parenthesized")
            }
            ParseErrorType::UnparenthesizedTupleExpression => self.invalid_at(self.find_from(index, ",")),
            ParseErrorType::UnparenthesizedNamedExpression => self.invalid_at(self.find_from(index, ":=")),
            ParseErrorType::InvalidStarredExpressionUsage => self.starred(start, end),
            ParseErrorType::NonDefaultParamAfterDefaultParam => {
                here("parameter without a default follows parameter with a default")
            }
            ParseErrorType::ParamAfterVarKeywordParam => here("arguments cannot follow var-keyword argument"),
            ParseErrorType::VarParameterWithDefault => {
                let equal = self.find_from(index, "=");
                let double = self.text(&self.tokens.tokens[self.find_back(equal, "**")]) == "**"
                    && self.find_back(equal, "**") + 3 > equal;
                let which = if double { "keyword" } else { "positional" };
                self.at_token(&format!("var-{which} argument cannot have default value"), equal)
            }
            ParseErrorType::ExpectedKeywordParam => self.bare_star(index),
            ParseErrorType::ExpectedRealNumber => here("real number required in complex literal"),
            ParseErrorType::ExpectedImaginaryNumber => here("imaginary number required in complex literal"),
            ParseErrorType::EmptyImportNames => self.import_names(index),
            ParseErrorType::EmptyTypeParams => self.at_token("Type parameter list cannot be empty", index),
            ParseErrorType::InvalidYieldExpressionUsage | ParseErrorType::InvalidLambdaExpressionUsage => {
                self.invalid_at(index)
            }
            ParseErrorType::InvalidMatchPatternTarget => here("cannot use '_' as a target"),
            ParseErrorType::FStringError(_) | ParseErrorType::TStringError(_) => self.template_error(error),
            ParseErrorType::Lexical(lexical) => self.lexical(lexical, start, end),
            ParseErrorType::OtherError(message) => self.other(message, start, end),
            _ => self.invalid_at(index),
        }
    }

    /// Index of the first token with a text, from an index on; that index itself if there is none.
    fn find_from(&self, index: usize, text: &str) -> usize {
        let tokens = &self.tokens.tokens;
        (index..tokens.len())
            .find(|i| self.text(&tokens[*i]) == text)
            .unwrap_or(index)
    }

    /// Start of the logical line that a token is on, as token index.
    fn line_start(&self, index: usize) -> usize {
        let tokens = &self.tokens.tokens;
        let mut at = index.min(tokens.len().saturating_sub(1));
        while at > 0 {
            let before = &tokens[at - 1];
            if matches!(before.kind, Kind::Newline | Kind::Indent | Kind::Dedent)
                || before.level == 0 && self.text(before) == ";"
            {
                break;
            }
            at -= 1;
        }
        at
    }

    /// Two statements without a separator between them.
    fn adjacent_statements(&self, index: usize) -> CompileError {
        let tokens = &self.tokens.tokens;
        let first = self.line_start(index);
        let word = self.text(&tokens[first]);
        let second = tokens[index];
        if matches!(word, "print" | "exec") && index == first + 1 {
            let mut end = index;
            while end + 1 < tokens.len()
                && !matches!(tokens[end + 1].kind, Kind::Newline | Kind::End)
                && !(tokens[end + 1].level == 0 && self.text(&tokens[end + 1]) == ";")
            {
                end += 1;
            }
            let message = format!("Missing parentheses in call to '{word}'. Did you mean {word}(...)?");
            return self.syntax_error(message, tokens[first].start, tokens[end].end);
        }
        if word == "import" && self.text(&second) == "from" {
            let mut end = index;
            while end + 1 < tokens.len()
                && tokens[end + 1].kind != Kind::Newline
                && self.text(&tokens[end + 1]) != "as"
            {
                end += 1;
            }
            let message = "Did you mean to use 'from ... import ...' instead?";
            return self.syntax_error(message, tokens[first].start, tokens[end].end);
        }
        if let Some(error) = self.string_interrupted(index) {
            return error;
        }
        const IN_PLACE: [&str; 13] = [
            "+=", "-=", "*=", "/=", "//=", "%=", "@=", "&=", "|=", "^=", ">>=", "<<=", "**=",
        ];
        if index > first && IN_PLACE.contains(&self.text(&second)) {
            let (start, end) = (tokens[first].start, tokens[index - 1].end);
            if let Some(name) = targets::name_of(self, start, end) {
                let message = format!("'{name}' is an illegal expression for augmented assignment");
                return self.syntax_error(message, start, end);
            }
        }
        if matches!(word, "import" | "from") && index >= 2 && self.text(&tokens[index - 2]) == "as" {
            let what = match self.text(&second) {
                "." => "attribute",
                "[" => "subscript",
                "(" => "function call",
                _ => return self.invalid_at(index),
            };
            let (start, end) = (tokens[index - 1].start, tokens[self.operand_end(index)].end);
            return self.syntax_error(format!("cannot use {what} as import target"), start, end);
        }
        if matches!(word, "if" | "while" | "elif") && self.text(&second) == "=" {
            return self.in_expression(index);
        }
        self.invalid_at(index)
    }

    /// `"a "b" c"`: text between two strings.
    fn string_interrupted(&self, index: usize) -> Option<CompileError> {
        let tokens = &self.tokens.tokens;
        let is_string = |i: usize| tokens.get(i).is_some_and(|t| t.kind == Kind::String);
        if index == 0 || !is_string(index - 1) || tokens[index].kind != Kind::Name {
            return None;
        }
        if self.is_keyword(&tokens[index]) {
            return None;
        }
        let mut last = index;
        while tokens
            .get(last)
            .is_some_and(|t| t.kind == Kind::Name && !self.is_keyword(t))
        {
            last += 1;
        }
        if !is_string(last) {
            return None;
        }
        let message = "invalid syntax. Is this intended to be part of the string?";
        Some(self.syntax_error(message, tokens[index].start, tokens[last - 1].end))
    }

    fn is_keyword(&self, token: &Token) -> bool {
        const KEYWORDS: [&str; 35] = [
            "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
            "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in",
            "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with",
            "yield",
        ];
        token.kind == Kind::Name && KEYWORDS.contains(&self.text(token))
    }

    fn starts_expression(&self, token: &Token) -> bool {
        match token.kind {
            Kind::Number | Kind::String | Kind::TemplateStart => true,
            Kind::Name => {
                !self.is_keyword(token)
                    || matches!(
                        self.text(token),
                        "None" | "True" | "False" | "not" | "lambda" | "await"
                    )
            }
            Kind::Op => matches!(self.text(token), "(" | "[" | "{" | "-" | "+" | "~" | "..."),
            _ => false,
        }
    }

    fn ends_expression(&self, token: &Token) -> bool {
        match token.kind {
            Kind::Number | Kind::String | Kind::TemplateEnd => true,
            Kind::Name => !self.is_keyword(token) || matches!(self.text(token), "None" | "True" | "False"),
            Kind::Op => matches!(self.text(token), ")" | "]" | "}" | "..."),
            _ => false,
        }
    }

    /// Whether a token ends an operand on its bracket level when one walks away from an error.
    fn is_boundary(&self, token: &Token) -> bool {
        token.kind == Kind::Op && matches!(self.text(token), "," | ":" | "=" | ":=" | ";" | "!" | "->")
            || matches!(
                self.text(token),
                "for"
                    | "if"
                    | "else"
                    | "lambda"
                    | "return"
                    | "yield"
                    | "in"
                    | "async"
                    | "from"
                    | "import"
                    | "assert"
                    | "while"
                    | "elif"
                    | "and"
                    | "or"
                    | "not"
                    | "del"
                    | "raise"
            ) && token.kind == Kind::Name
            || matches!(
                token.kind,
                Kind::Newline | Kind::Indent | Kind::Dedent | Kind::End
            )
    }

    /// Number of brackets around a token; a closing bracket counts as inside its pair.
    fn inner_level(&self, index: usize) -> usize {
        let token = &self.tokens.tokens[index];
        token.level + matches!(self.text(token), ")" | "]" | "}") as usize
    }

    /// The start of the operand that ends before a token.
    fn operand_start(&self, index: usize) -> usize {
        let tokens = &self.tokens.tokens;
        let level = self.inner_level(index);
        let mut at = index;
        while at > 0 {
            let before = &tokens[at - 1];
            let opens = before.level < level && matches!(self.text(before), "(" | "[" | "{");
            if opens && before.level + 1 == level || before.level == level && self.is_boundary(before) {
                break;
            }
            at -= 1;
        }
        at
    }

    /// The last token of the operand that starts with a token.
    fn operand_end(&self, index: usize) -> usize {
        let tokens = &self.tokens.tokens;
        let level = self.inner_level(index);
        let mut at = index;
        while at + 1 < tokens.len() {
            let next = &tokens[at + 1];
            let closes = next.level + 1 == level && matches!(self.text(next), ")" | "]" | "}");
            let ends_operand = self.ends_expression(&tokens[at])
                && tokens[at].level <= level
                && self.starts_expression(next)
                && next.level == level
                && !matches!(self.text(next), "(" | "[" | "-" | "+");
            if closes && next.level < level || next.level == level && self.is_boundary(next) || ends_operand {
                break;
            }
            at += 1;
        }
        at
    }

    /// An unexpected token inside an expression: a missing comma, `=` for `==`, an unfinished `if`.
    fn in_expression(&self, index: usize) -> CompileError {
        let tokens = &self.tokens.tokens;
        if let Some(error) = self.string_interrupted(index) {
            return error;
        }
        let token = &tokens[index];
        if self.text(token) == "=" && token.kind == Kind::Op && index > 0 {
            return self.equal_sign(index);
        }
        let level = self.inner_level(index);
        if level > 0
            && index > 0
            && self.starts_expression(token)
            && !matches!(self.text(token), "-" | "+")
            && self.ends_expression(&tokens[index - 1])
            && !(tokens[index - 1].kind == Kind::Name && token.kind == Kind::String)
        {
            let first = self.operand_start(index);
            if !matches!(self.text(&tokens[first]), "print" | "exec") {
                let last = self.operand_end(index);
                let message = "invalid syntax. Perhaps you forgot a comma?";
                return self.syntax_error(message, tokens[first].start, tokens[last].end);
            }
        }
        if let Some(error) = self.unfinished_conditional(index) {
            return error;
        }
        self.invalid_at(index)
    }

    /// `a if b` without `else`.
    fn unfinished_conditional(&self, index: usize) -> Option<CompileError> {
        let tokens = &self.tokens.tokens;
        let level = self.inner_level(index);
        let mut at = index;
        while at > 0 {
            at -= 1;
            let token = &tokens[at];
            if token.level < level || matches!(token.kind, Kind::Newline | Kind::Indent | Kind::Dedent) {
                return None;
            }
            if token.level == level && matches!(self.text(token), "else" | "for" | "," | "=" | ":") {
                return None;
            }
            if token.level == level && self.text(token) == "if" {
                if at == 0 || !self.ends_expression(&tokens[at - 1]) {
                    return None;
                }
                let next = &tokens[index];
                if matches!(self.text(next), ":" | "=") {
                    return None;
                }
                let first = self.operand_start(at);
                let message = "expected 'else' after 'if' expression";
                return Some(self.syntax_error(message, tokens[first].start, tokens[index - 1].end));
            }
        }
        None
    }

    /// `=` where an expression stands.
    fn equal_sign(&self, index: usize) -> CompileError {
        let tokens = &self.tokens.tokens;
        let first = self.operand_start(index);
        let last = self.operand_end((index + 1).min(tokens.len() - 1));
        let one_name = first + 1 == index && tokens[first].kind == Kind::Name;
        if one_name && !self.is_keyword(&tokens[first]) {
            if tokens.get(index + 1).is_none_or(|t| !self.starts_expression(t)) {
                return self.invalid_at(index);
            }
            let message = "invalid syntax. Maybe you meant '==' or ':=' instead of '='?";
            return self.syntax_error(message, tokens[first].start, tokens[last].end);
        }
        let (start, end) = (tokens[first].start, tokens[index - 1].end);
        targets::not_assignable(self, start, end, true).unwrap_or_else(|| self.invalid_at(index))
    }

    fn expected_token(&self, expected: TokenKind, index: usize) -> CompileError {
        let tokens = &self.tokens.tokens;
        let token = &tokens[index];
        let first = self.text(&tokens[self.line_start(index)]);
        let level = token.level;
        match expected {
            TokenKind::Colon if level == 0 => {
                let is_newline = matches!(token.kind, Kind::Newline | Kind::End);
                let forced = matches!(first, "def" | "else" | "try" | "finally");
                if matches!(first, "if" | "elif" | "while" | "match" | "case") && self.text(token) == "=" {
                    return self.in_expression(index);
                }
                if first == "except" && matches!(self.text(token), "." | "[" | "(") {
                    return self.except_target(index);
                }
                if (forced || is_newline)
                    && self.is_keyword(&tokens[self.line_start(index)])
                    && first != "lambda"
                    || is_newline && matches!(first, "match" | "case")
                {
                    return self.at_token("expected ':'", index);
                }
                self.in_expression(index)
            }
            TokenKind::Colon if self.enclosing(index) == "{" => {
                let before = self.operand_start(index);
                let (line, col) = self.lines.line_col(TextSize::new(tokens[before].start as u32));
                let pos = Position {
                    line,
                    end_line: line,
                    col,
                    end_col: END_ZERO,
                };
                if matches!(self.text(token), "," | "}") || self.starts_expression(token) {
                    return CompileError::syntax("':' expected after dictionary key", pos);
                }
                self.in_expression(index)
            }
            TokenKind::Rsqb
                if self.text(token) == ":"
                    && index >= 2
                    && matches!(self.text(&tokens[index - 2]), "*" | "**") =>
            {
                let what = if self.text(token_or(tokens, index + 1)) == "(" {
                    "constraints"
                } else {
                    "bound"
                };
                let kind = if self.text(&tokens[index - 2]) == "*" {
                    "TypeVarTuple"
                } else {
                    "ParamSpec"
                };
                let end = tokens[self.operand_end((index + 1).min(tokens.len() - 1))].end;
                self.syntax_error(format!("cannot use {what} with {kind}"), token.start, end)
            }
            TokenKind::In => {
                if self.starts_expression(token) || self.text(token) == "=" {
                    return self.invalid_at(index);
                }
                let start = self.find_back(index, "for");
                let first = &tokens[(start + 1).min(index)];
                if matches!(token.kind, Kind::Newline) || self.text(token) == ":" || self.is_keyword(token) {
                    let end = tokens[index.saturating_sub(1)].end.max(first.start);
                    return self.syntax_error("'in' expected after for-loop variables", first.start, end);
                }
                self.invalid_at(index)
            }
            TokenKind::Lpar if first == "def" || first == "async" => self.at_token("expected '('", index),
            TokenKind::Rpar if self.text(token) == "(" && self.in_parameters(index) => {
                let close = self.matching(index);
                let lambda = self.enclosing(index) != "(";
                let message = if lambda {
                    "Lambda expression parameters cannot be parenthesized"
                } else {
                    "Function parameters cannot be parenthesized"
                };
                self.syntax_error(message, token.start, tokens[close].end)
            }
            TokenKind::Rsqb | TokenKind::Rbrace if self.text(token) == "for" => {
                let first = self.operand_list_start(index);
                let end = tokens[index - 1].end;
                let comma =
                    (first..index).find(|i| self.text(&tokens[*i]) == "," && tokens[*i].level == token.level);
                match comma {
                    Some(_) => {
                        let message = "did you forget parentheses around the comprehension target?";
                        self.syntax_error(message, tokens[first].start, end)
                    }
                    None => self.invalid_at(index),
                }
            }
            _ => self.in_expression(index),
        }
    }

    /// Start of the comma-separated list before a token, inside its bracket.
    fn operand_list_start(&self, index: usize) -> usize {
        let tokens = &self.tokens.tokens;
        let level = tokens[index].level;
        (0..index)
            .rev()
            .find(|i| tokens[*i].level < level)
            .map_or(0, |open| open + 1)
    }

    /// The bracket that a token stands in.
    fn enclosing(&self, index: usize) -> &str {
        let tokens = &self.tokens.tokens;
        let level = self.inner_level(index);
        let open = (0..index).rev().find(|i| tokens[*i].level < level);
        open.map_or("", |open| self.text(&tokens[open]))
    }

    fn matching(&self, index: usize) -> usize {
        let tokens = &self.tokens.tokens;
        let level = tokens[index].level;
        (index + 1..tokens.len())
            .find(|i| tokens[*i].level == level)
            .unwrap_or(index)
    }

    fn find_back(&self, index: usize, text: &str) -> usize {
        let tokens = &self.tokens.tokens;
        (0..index)
            .rev()
            .find(|i| self.text(&tokens[*i]) == text)
            .unwrap_or(index)
    }

    fn in_parameters(&self, index: usize) -> bool {
        let first = self.text(&self.tokens.tokens[self.line_start(index)]);
        matches!(first, "def" | "async") || self.find_back(index, "lambda") < index
    }

    fn in_class_arguments(&self, start: usize) -> bool {
        self.text(&self.tokens.tokens[self.line_start(self.token_at(start))]) == "class"
    }

    fn except_target(&self, index: usize) -> CompileError {
        let tokens = &self.tokens.tokens;
        let name = self.find_back(index, "as") + 1;
        let mut end = index;
        while end + 1 < tokens.len() && !(self.text(&tokens[end + 1]) == ":" && tokens[end + 1].level == 0) {
            end += 1;
        }
        let what = match self.text(token_or(&tokens[..], index)) {
            "." => "attribute",
            "[" => "subscript",
            _ => "function call",
        };
        let message = format!("cannot use except statement with {what}");
        self.syntax_error(message, tokens[name].start, tokens[end].end)
    }

    /// Something is missing where an operand should start.
    fn expected_expression(&self, index: usize) -> CompileError {
        let tokens = &self.tokens.tokens;
        let token = &tokens[index];
        let previous = index.checked_sub(1).map(|i| &tokens[i]);
        let before = previous.map_or("", |t| self.text(t));
        let text = self.text(token);
        if let Some(error) = self.empty_field(index) {
            return error;
        }
        let function = matches!(self.text(&tokens[self.line_start(index)]), "def" | "async");
        if before == "=" && self.inner_level(index) > 0 && matches!(text, "," | ")") {
            if function || self.enclosing_is_lambda(index) {
                return self.at_token("expected default value expression", index - 1);
            }
            let name = index.saturating_sub(2);
            if tokens[name].kind == Kind::Name {
                let message = "expected argument value expression";
                return self.syntax_error(message, tokens[name].start, tokens[index - 1].end);
            }
        }
        if before == ":" && self.enclosing(index) == "{" && matches!(text, "," | "}") {
            return self.at_token("expression expected after dictionary key and ':'", index - 1);
        }
        if before == "*" && matches!(text, ")" | "]" | ",") && token.level > 0 || before == "*" && text == "]"
        {
            return self.at_token("Invalid star expression", index);
        }
        if before == "else" && self.unfinished_else(index - 1) {
            let message = "expected expression after 'else', but statement is given";
            return self.at_token(message, index);
        }
        if text == "not" && token.kind == Kind::Name && previous.is_some_and(|t| t.kind == Kind::Op) {
            let end = self.operand_end(index);
            let message = "'not' after an operator must be parenthesized";
            return self.syntax_error(message, token.start, tokens[end].end);
        }
        if matches!(text, "for") && token.level > 0 {
            return self.expected_token(TokenKind::Rsqb, index);
        }
        self.in_expression(index)
    }

    fn unfinished_else(&self, index: usize) -> bool {
        let tokens = &self.tokens.tokens;
        let start = self.line_start(index);
        index > start && (start..index).any(|i| self.text(&tokens[i]) == "if" && i > start)
    }

    fn enclosing_is_lambda(&self, index: usize) -> bool {
        let lambda = self.find_back(index, "lambda");
        lambda < index && self.tokens.tokens[lambda].level == self.tokens.tokens[index].level
    }

    /// `f'{}'`, `f'{!r}'` and the like.
    fn empty_field(&self, index: usize) -> Option<CompileError> {
        let tokens = &self.tokens.tokens;
        let open = index.checked_sub(1)?;
        if self.text(&tokens[open]) != "{" || !self.is_field(open) {
            return None;
        }
        let kind = self.template_kind(open);
        let message = match self.text(&tokens[index]) {
            text @ ("}" | "!" | ":" | "=") => {
                format!("{kind}-string: valid expression required before '{text}'")
            }
            _ => format!("{kind}-string: expecting a valid expression after '{{'"),
        };
        Some(self.at_token(&message, index))
    }

    /// Whether the brace at a token index opens a replacement field.
    fn is_field(&self, index: usize) -> bool {
        let tokens = &self.tokens.tokens;
        let Some(before) = index.checked_sub(1) else {
            return false;
        };
        // Between template start and the field there is only text, which has no token.
        let token = &tokens[before];
        let gap_is_text = token.end < tokens[index].start || token.kind == Kind::TemplateStart;
        let closes_field = self.text(token) == "}" || self.text(token) == ":";
        token.kind == Kind::TemplateStart
            || closes_field && gap_is_text && self.inside_template(index)
            || self.text(token) == ":" && self.inside_template(index)
            || self.text(token) == "}" && self.inside_template(index)
    }

    fn inside_template(&self, index: usize) -> bool {
        let mut open = 0i32;
        for token in &self.tokens.tokens[..index] {
            match token.kind {
                Kind::TemplateStart => open += 1,
                Kind::TemplateEnd => open -= 1,
                _ => {}
            }
        }
        open > 0
    }

    fn template_kind(&self, index: usize) -> char {
        let tokens = &self.tokens.tokens;
        let start = (0..=index).rev().find(|i| tokens[*i].kind == Kind::TemplateStart);
        let is_t = start.is_some_and(|i| self.text(&tokens[i]).to_ascii_lowercase().contains('t'));
        if is_t { 't' } else { 'f' }
    }

    /// An argument error is shown at the closing parenthesis of the call.
    fn after_arguments(&self, message: &str, start: usize) -> CompileError {
        let index = self.token_at(start);
        let tokens = &self.tokens.tokens;
        let level = tokens[index].level;
        let close = (index..tokens.len())
            .find(|i| tokens[*i].level < level)
            .unwrap_or(index);
        self.at_token(message, close)
    }

    fn previous_starred(&self, start: usize) -> Option<usize> {
        let index = self.token_at(start);
        let tokens = &self.tokens.tokens;
        let level = tokens[index].level;
        (0..index)
            .rev()
            .find(|i| tokens[*i].level == level && self.text(&tokens[*i]) == ",")
            .map(|i| tokens[i].start)
    }

    fn starred(&self, start: usize, end: usize) -> CompileError {
        let index = self.token_at(start);
        let tokens = &self.tokens.tokens;
        let before = index.checked_sub(1).map_or("", |i| self.text(&tokens[i]));
        if before == "(" {
            return self.syntax_error("cannot use starred expression here", start, end);
        }
        if before == ":" && self.enclosing(index) == "{" {
            return self.syntax_error(
                "cannot use a starred expression in a dictionary value",
                start,
                end,
            );
        }
        if tokens[index].level > 0 || before == ":" {
            return self.invalid_at(index);
        }
        self.syntax_error("can't use starred expression here", start, end)
    }

    fn bare_star(&self, index: usize) -> CompileError {
        let tokens = &self.tokens.tokens;
        let star = if self.text(&tokens[index]) == "*" {
            index
        } else {
            self.find_back(index, "*")
        };
        let next = tokens.get(star + 1).map_or("", |t| self.text(t));
        let named = tokens.get(star + 2);
        if next == "," && named.is_some_and(|t| self.is_keyword(t)) {
            return self.invalid_at(star + 2);
        }
        if matches!(next, "," | ")" | ":") {
            let lambda = next == ":"
                || self.text(&tokens[self.line_start(star)]) != "def"
                    && self.find_back(star, "lambda") < star;
            let at = if lambda { star + 1 } else { star };
            return self.at_token("named arguments must follow bare *", at);
        }
        self.invalid_at(star + 1)
    }

    fn import_names(&self, index: usize) -> CompileError {
        let tokens = &self.tokens.tokens;
        let token = &tokens[index];
        if !matches!(token.kind, Kind::Newline | Kind::End) {
            return self.invalid_at(index);
        }
        let before = index.checked_sub(1).map_or("", |i| self.text(&tokens[i]));
        if before == "import" {
            let message = "Expected one or more names after 'import'";
            return self.syntax_error(message, token.start, token.start);
        }
        self.invalid_at(index)
    }

    fn template_error(&self, error: &ParseError) -> CompileError {
        use ruff_python_parser::InterpolatedStringErrorType as Inner;
        let (inner, kind) = match &error.error {
            ParseErrorType::FStringError(inner) => (inner, 'f'),
            ParseErrorType::TStringError(inner) => (inner, 't'),
            _ => return self.invalid_at(self.token_at(error.location.start().to_usize())),
        };
        let (start, end) = (error.location.start().to_usize(), error.location.end().to_usize());
        let index = self.token_at(start);
        match inner {
            Inner::UnclosedLbrace => {
                let before = index
                    .checked_sub(1)
                    .map_or("", |i| self.text(&self.tokens.tokens[i]));
                let what = match before {
                    "!" => {
                        return self.at_token(&format!("{kind}-string: missing conversion character"), index);
                    }
                    _ if self.conversion_before(index) => "':' or '}'",
                    _ => "'=', or '!', or ':', or '}'",
                };
                let error = self.in_expression(index);
                if error.message != "invalid syntax" {
                    return error;
                }
                self.at_token(&format!("{kind}-string: expecting {what}"), index)
            }
            Inner::InvalidConversionFlag => {
                let text = &self.source[start..end];
                let name = text.trim_start_matches('!');
                let from = start + (text.len() - name.len());
                if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric()) {
                    return self.at_token(&format!("{kind}-string: invalid conversion character"), index);
                }
                let message = format!(
                    "{kind}-string: invalid conversion character '{name}': expected 's', 'r', or 'a'"
                );
                self.syntax_error(message, from, end)
            }
            Inner::SingleRbrace => {
                self.syntax_error(format!("{kind}-string: single '}}' is not allowed"), start, start)
            }
            Inner::LambdaWithoutParentheses => {
                let message =
                    format!("{kind}-string: lambda expressions are not allowed without parentheses");
                let colon = self.source[start..].find(':').map_or(end, |n| start + n + 1);
                self.syntax_error(message, start, colon)
            }
            Inner::ConversionFlagNotImmediatelyAfterExclamation => {
                let message =
                    format!("{kind}-string: conversion type must come right after the exclamation mark");
                self.syntax_error(message, start, end)
            }
            _ => self.syntax_error(format!("{kind}-string: expecting '}}'"), start, start),
        }
    }

    fn conversion_before(&self, index: usize) -> bool {
        index >= 2 && self.text(&self.tokens.tokens[index - 2]) == "!"
    }

    fn lexical(&self, lexical: &LexicalErrorType, start: usize, end: usize) -> CompileError {
        let index = self.token_at(start);
        let token = &self.tokens.tokens[index];
        match lexical {
            LexicalErrorType::InvalidByteLiteral => self.syntax_error(
                "bytes can only contain ASCII literal characters",
                token.start,
                token.end,
            ),
            LexicalErrorType::UnicodeError
            | LexicalErrorType::MissingUnicodeLbrace
            | LexicalErrorType::MissingUnicodeRbrace
            | LexicalErrorType::StringError => self.bad_escape(index, start),
            LexicalErrorType::OtherError(message) => self.other(message, start, end),
            LexicalErrorType::FStringError(inner) => {
                let error = ParseErrorType::FStringError(inner.clone());
                self.template_error(&ParseError {
                    error,
                    location: TextRange::new((start as u32).into(), (end as u32).into()),
                })
            }
            LexicalErrorType::TStringError(inner) => {
                let error = ParseErrorType::TStringError(inner.clone());
                self.template_error(&ParseError {
                    error,
                    location: TextRange::new((start as u32).into(), (end as u32).into()),
                })
            }
            _ => self.invalid_at(index),
        }
    }

    /// A malformed escape in a string literal: finds it again and says what the codec would.
    fn bad_escape(&self, index: usize, near: usize) -> CompileError {
        let tokens = &self.tokens.tokens;
        let token = &tokens[index];
        let text = self.text(token);
        if token.kind != Kind::String {
            // In the text of an f-string, which has no token.
            let slash = self.source[..near.min(self.source.len())]
                .rfind('\\')
                .unwrap_or(near);
            let body = &self.source[slash..];
            let message = escape_problem(body, 0).unwrap_or_else(|| "malformed \\N character escape".into());
            return self.syntax_error(message, near.saturating_sub(1), near);
        }
        let quote = text.find(['"', '\'']).unwrap_or(0);
        let prefix = text[..quote].to_ascii_lowercase();
        let size = if text[quote..].starts_with("\"\"\"") || text[quote..].starts_with("'''") {
            3
        } else {
            1
        };
        let body = &text[quote + size..text.len().saturating_sub(size).max(quote + size)];
        if prefix.contains('b') {
            let at = body.find("\\x").unwrap_or(0);
            let message = format!("(value error) invalid \\x escape at position {at}");
            return self.syntax_error(message, token.start, token.end);
        }
        let mut at = 0;
        while let Some(slash) = body[at..].find('\\') {
            if let Some(message) = escape_problem(&body[at + slash..], at + slash) {
                return self.syntax_error(message, token.start, token.end);
            }
            at += slash + 1 + body[at + slash + 1..].chars().next().map_or(0, char::len_utf8);
        }
        self.invalid_at(index)
    }

    /// ruff's free-text errors.
    fn other(&self, message: &str, start: usize, end: usize) -> CompileError {
        let index = self.token_at(start);
        let here = |message: &str| self.syntax_error(message, start, end);
        if let Some(rest) = message.strip_prefix("Expected an indented block after ") {
            return self.missing_block(rest, index);
        }
        match message {
            "Only one '/' separator allowed" => here("/ may appear only once"),
            "'/' parameter must appear before '*' parameter" => here("/ must be ahead of *"),
            "Position-only parameter separator not allowed as first parameter" => {
                let next = self.text(token_or(&self.tokens.tokens, index + 1));
                match next {
                    "," => here("at least one argument must precede /"),
                    _ => self.invalid_at(index),
                }
            }
            "Only one '*' parameter allowed" => self.at_token("* argument may appear only once", index),
            "Cannot have both 'except' and 'except*' on the same 'try'" => {
                let keyword = self.find_from(index, "except");
                let mut error = self.at_token(
                    "cannot have both 'except' and 'except*' on the same 'try'",
                    keyword,
                );
                if self.text(token_or(&self.tokens.tokens, keyword + 1)) == "*" {
                    error.end_offset += 1;
                }
                error
            }
            "Trailing comma not allowed" => {
                let next = (index + 1).min(self.tokens.tokens.len() - 1);
                if self.text(&self.tokens.tokens[self.line_start(index)]) == "from" {
                    return self.at_token("trailing comma not allowed without surrounding parentheses", next);
                }
                self.invalid_at(next)
            }
            "Multiple exception types must be parenthesized when using `as`" => {
                let tokens = &self.tokens.tokens;
                let colon = self.find_from(index, ":");
                let message = "multiple exception types must be parenthesized when using 'as'";
                self.syntax_error(message, start, tokens[colon.max(1) - 1].end)
            }
            "Positional patterns cannot follow keyword patterns" => {
                here("positional patterns follow keyword patterns")
            }
            "Boolean 'not' expression cannot be used here" => self.expected_expression(index),
            "Expected a parameter name" | "Expected a keyword argument name" => {
                self.bad_keyword(index, start, end)
            }
            "Expected `except` or `finally` after `try` block"
            | "Expected `except` or `finally` block after `try` block" => {
                self.at_token("expected 'except' or 'finally' block", index)
            }
            "Expected symbol after `as`" => self.import_target(index),
            _ if message.starts_with("Only single target") => here(&message.replacen('O', "o", 1)),
            _ if message.starts_with("Cannot mix t-string") => {
                here("cannot mix t-string literals with string or bytes literals")
            }
            _ if message.contains("bytes and non") || message.contains("Bytes literal cannot be mixed") => {
                here("cannot mix bytes and nonbytes literals")
            }
            _ if message.starts_with("Expected one or more exception types") => {
                here("expected one or more exception types")
            }
            _ if message.contains("Duplicate parameter") => here("duplicate argument in function definition"),
            _ => self.in_expression(index),
        }
    }

    fn import_target(&self, index: usize) -> CompileError {
        let tokens = &self.tokens.tokens;
        let token = &tokens[index];
        let what = match token.kind {
            Kind::Number | Kind::String => "literal",
            Kind::Name if matches!(self.text(token), "None" | "True" | "False") => self.text(token),
            Kind::Op if self.text(token) == "(" => "tuple",
            Kind::Op if self.text(token) == "[" => "list",
            _ => return self.invalid_at(index),
        };
        let end = self.operand_end(index);
        self.syntax_error(
            format!("cannot use {what} as import target"),
            token.start,
            tokens[end].end,
        )
    }

    /// `f(1=2)`: something other than a name before `=` in a call.
    fn bad_keyword(&self, index: usize, start: usize, end: usize) -> CompileError {
        let tokens = &self.tokens.tokens;
        let equal = self.find_from(index, "=");
        let first = &tokens[index];
        let value = self.text(first);
        if matches!(value, "True" | "False" | "None") && equal == index + 1 {
            return self.syntax_error(
                format!("cannot assign to {value}"),
                first.start,
                tokens[equal].end,
            );
        }
        if self.text(&tokens[equal]) == "=" {
            let message = "expression cannot contain assignment, perhaps you meant \"==\"?";
            return self.syntax_error(message, start, tokens[equal].end);
        }
        self.syntax_error("invalid syntax", start, end)
    }

    /// A compound statement without a body.
    fn missing_block(&self, what: &str, index: usize) -> CompileError {
        let keyword = what.split('`').nth(1).unwrap_or("");
        let tokens = &self.tokens.tokens;
        // The header is the last line with that keyword before here.
        let words: &[&str] = match what {
            _ if what.starts_with("function") => &["def", "async"],
            _ if what.contains("class") => &["class"],
            _ => &[],
        };
        let is_header = |i: &usize| {
            let text = self.text(&tokens[*i]);
            let first = self.line_start(*i) == *i;
            first && (words.contains(&text) || text == keyword || text == "async")
        };
        let header = (0..index.min(tokens.len())).rev().find(is_header).unwrap_or(0);
        let (line, _) = self.lines.line_col(TextSize::new(tokens[header].start as u32));
        let what = if what.starts_with("function") {
            "function definition".to_owned()
        } else if keyword == "class" {
            "class definition".to_owned()
        } else if keyword == "except" && self.text(token_or(tokens, header + 1)) == "*" {
            "'except*' statement".to_owned()
        } else {
            format!("'{keyword}' statement")
        };
        let message = format!("expected an indented block after {what} on line {line}");
        let mut at = index;
        while matches!(tokens[at].kind, Kind::Newline | Kind::Dedent) && at + 1 < tokens.len() {
            at += 1;
        }
        if tokens[at].kind == Kind::End {
            // At the end of the input the last line is shown.
            let source = self.source.strip_suffix('\n').unwrap_or(self.source);
            let (line, col) = self.lines.line_col(TextSize::new(source.len() as u32));
            let pos = Position {
                line,
                end_line: line,
                col,
                end_col: END_MINUS_ONE,
            };
            return CompileError::at(ErrorKind::IndentationError, message, pos);
        }
        let pos = self.position(tokens[at].start, tokens[at].end);
        CompileError::at(ErrorKind::IndentationError, message, pos)
    }
}

fn token_or(tokens: &[Token], index: usize) -> &Token {
    &tokens[index.min(tokens.len() - 1)]
}

/// What is wrong with an escape at the start of `body`, in the codec's words; `at`: its position in the literal.
fn escape_problem(body: &str, at: usize) -> Option<String> {
    let bytes = body.as_bytes();
    let codec = |end: usize, what: &str| {
        let end = at + end;
        Some(format!(
            "(unicode error) 'unicodeescape' codec can't decode bytes in position {at}-{end}: {what}"
        ))
    };
    let digits = |n: usize| {
        bytes[2..]
            .iter()
            .take(n)
            .take_while(|b| b.is_ascii_hexdigit())
            .count()
    };
    match bytes.get(1)? {
        b'x' if digits(2) < 2 => codec(1 + digits(2), "truncated \\xXX escape"),
        b'u' if digits(4) < 4 => codec(1 + digits(4), "truncated \\uXXXX escape"),
        b'U' if digits(8) < 8 => codec(1 + digits(8), "truncated \\UXXXXXXXX escape"),
        b'U' => {
            let value = u32::from_str_radix(body.get(2..10)?, 16).ok()?;
            if value > 0x10_FFFF {
                codec(9, "illegal Unicode character")
            } else {
                None
            }
        }
        b'N' => {
            let Some(rest) = body[2..].strip_prefix('{') else {
                return codec(1, "malformed \\N character escape");
            };
            match rest.find('}') {
                None => codec(
                    body.trim_end_matches(['"', '\'']).len() - 1,
                    "malformed \\N character escape",
                ),
                Some(0) => codec(3, "malformed \\N character escape"),
                Some(n) if unicode_names2::character(&rest[..n]).is_none() => {
                    codec(3 + n, "unknown Unicode character name")
                }
                Some(_) => None,
            }
        }
        _ => None,
    }
}

/// Marks an error that more input could mend: it stands at the end of the text.
pub fn incomplete(mut error: CompileError, source: &str) -> CompileError {
    let n_lines = source.trim_end().lines().count() as i32;
    let open = error.message.ends_with("was never closed")
        || error.message.starts_with("unterminated triple-quoted")
        || error.message.starts_with("expected an indented block after") && error.lineno >= n_lines
        || error.message == "unexpected EOF while parsing"
        || error.message == "expected 'except' or 'finally' block" && error.lineno >= n_lines;
    if open {
        error.kind = ErrorKind::IncompleteInput;
        error.message = "incomplete input".into();
    }
    error
}

/// `1if x else y`: a number run together with a keyword is allowed, but not for ever.
pub fn number_warnings(parsed: &Parsed<ruff::Mod>, source: &str, lines: &LineIndex) -> Vec<CompileWarning> {
    let mut warnings = Vec::new();
    let mut number: Option<TextRange> = None;
    for token in parsed.tokens() {
        let (kind, range) = token.as_tuple();
        if let Some(before) = number.take()
            && before.end() == range.start()
            && kind.is_keyword()
        {
            let text = source[before].to_ascii_lowercase();
            let name = match text.get(..2) {
                Some("0x") => "hexadecimal",
                Some("0o") => "octal",
                Some("0b") => "binary",
                _ if text.ends_with('j') => "imaginary",
                _ => "decimal",
            };
            let pos = lines.position(before);
            warnings.push(CompileWarning {
                message: format!("invalid {name} literal"),
                pos,
            });
        }
        if matches!(kind, TokenKind::Int | TokenKind::Float | TokenKind::Complex) {
            number = Some(range);
        }
    }
    warnings
}
