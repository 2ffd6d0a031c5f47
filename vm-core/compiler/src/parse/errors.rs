//! ruff parser errors -> CompileError with CPython's messages and positions. The tokenizer's errors win, as in CPython; then the
//! parser's first error is translated with the tokens around it. `targets` names the expressions in assignment errors.

use super::Mode;
use super::context::{Context, token_or};
use super::source::LineIndex;
use super::targets;
use super::tokenizer::{Kind, tokenize};
use crate::error::{CompileError, CompileWarning, ErrorKind};
use ruff_python_ast as ruff;
use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{LexicalErrorType, ParseError, ParseErrorType, Parsed};
use ruff_text_size::TextRange;

/// Deepest nesting of brackets, as CPython's tokenizer has it.
pub const MAX_BRACKETS: usize = 200;
/// Levels of indentation, the outermost counted.
pub const MAX_INDENTS: usize = 100;
/// Deepest nesting of f-strings and t-strings, the text around them counted.
pub const MAX_TEMPLATES: usize = 150;

/// Refuses absurd nesting of brackets, blocks and f-strings before the parser sees it. Strings and comments are not skipped,
/// so the bound is generous here; the tokenizer checks exactly.
pub fn check_nesting(source: &str, lines: &LineIndex, mode: Mode) -> Option<CompileError> {
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
    let is_indented = |line: &str| {
        line.len() > MAX_INDENTS
            && line.as_bytes()[..MAX_INDENTS - 1]
                .iter()
                .all(u8::is_ascii_whitespace)
    };
    // Nested f-strings are in braces.
    if deepest < MAX_TEMPLATES - 1 && !source.lines().any(is_indented) {
        return None;
    }
    let tokens = tokenize(source, lines, mode);
    let error = tokens.error.clone()?;
    if error.message.starts_with("too many nested f-strings") {
        // The parser may stop before.
        let explained = super::explain::explain(source, lines, &tokens, mode);
        return Some(explained.map_or(error, |found| found.error));
    }
    error.message.starts_with("too many ").then_some(error)
}

/// Whether CPython checks the version for a kind of syntax at all.
fn is_refused(kind: &ruff_python_parser::UnsupportedSyntaxErrorKind) -> bool {
    use ruff_python_parser::UnsupportedSyntaxErrorKind as Kind;
    !matches!(
        kind,
        Kind::ParenthesizedContextManager
            | Kind::StarTuple(_)
            | Kind::RelaxedDecorator(_)
            | Kind::UnparenthesizedNamedExpr(_)
            // The conversion looks for them: the parser does not see those of `*Ts` and `**P`.
            | Kind::TypeParamDefault
    )
}

/// What `feature_version` refuses.
fn newer_syntax(kind: &ruff_python_parser::UnsupportedSyntaxErrorKind) -> Option<&'static str> {
    use ruff_python_parser::UnsupportedSyntaxErrorKind as Kind;
    Some(match kind {
        Kind::Match => "Pattern matching is only supported in Python 3.10 and greater",
        Kind::Walrus => "Assignment expressions are only supported in Python 3.8 and greater",
        Kind::ExceptStar => "Exception groups are only supported in Python 3.11 and greater",
        Kind::PositionalOnlyParameter => {
            "Positional-only parameters are only supported in Python 3.8 and greater"
        }
        Kind::TypeParameterList => "Type parameter lists are only supported in Python 3.12 and greater",
        Kind::TypeAliasStatement => "Type statement is only supported in Python 3.12 and greater",
        _ => return None,
    })
}

/// The error that CPython would report for a parse, if any.
pub fn first_error(
    parsed: &Parsed<ruff::Mod>,
    source: &str,
    lines: &LineIndex,
    mode: Mode,
) -> Option<CompileError> {
    let error = parsed.errors().iter().min_by_key(|e| e.location.start());
    let Some(error) = error else {
        let unsupported = parsed
            .unsupported_syntax_errors()
            .iter()
            .find(|error| is_refused(&error.kind))?;
        let tokens = tokenize(source, lines, mode);
        if let Some(explanation) = super::explain::explain(source, lines, &tokens, mode) {
            return Some(explanation.error);
        }
        let pos = lines.position(unsupported.range);
        let kind = format!("{:?}", unsupported.kind);
        let message = if kind.contains("UnpackingInComprehension(DictInDict") {
            "dict unpacking cannot be used in dict comprehension"
        } else if kind.contains("UnpackingInComprehension") {
            "iterable unpacking cannot be used in comprehension"
        } else {
            newer_syntax(&unsupported.kind).unwrap_or("invalid syntax")
        };
        return Some(CompileError::syntax(message, pos));
    };
    let tokens = tokenize(source, lines, mode);
    let context = Context {
        source,
        lines,
        tokens: &tokens,
        syntax: parsed.syntax(),
    };
    let explanation = super::explain::explain(source, lines, &tokens, mode);
    // What is wrong inside a literal is found when the literal is read.
    // One that the tokenizer did not get to the end of is none.
    let in_literal = |error: &&ParseError| {
        let at = error.location.start().to_usize();
        let token = tokens.tokens.get(context.token_at(at));
        is_literal_error(&error.error) && token.is_some_and(|token| token.end > at)
    };
    let literal = parsed
        .errors()
        .iter()
        .filter(in_literal)
        .min_by_key(|e| e.location.start());
    match (explanation, literal) {
        (Some(explanation), Some(literal)) if literal.location.start().to_usize() < explanation.stopped => {
            Some(context.translate(literal))
        }
        (Some(explanation), _) => {
            let mut error = explanation.error;
            error.at_end |= explanation.at_end;
            Some(error)
        }
        (None, _) => {
            let mut error = tokens.error.clone().unwrap_or_else(|| context.translate(error));
            error.at_end |= error.message.ends_with("was never closed");
            Some(error)
        }
    }
}

/// Whether an error is in the text of a string, which the grammar takes as it is.
fn is_literal_error(error: &ParseErrorType) -> bool {
    match error {
        ParseErrorType::Lexical(lexical) => matches!(
            lexical,
            LexicalErrorType::InvalidByteLiteral
                | LexicalErrorType::UnicodeError
                | LexicalErrorType::MissingUnicodeLbrace
                | LexicalErrorType::MissingUnicodeRbrace
        ),
        ParseErrorType::OtherError(message) => {
            message.starts_with("Cannot mix t-string") || message.to_lowercase().contains("bytes literal")
        }
        _ => false,
    }
}

impl Context<'_> {
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

    /// ruff's free-text errors.
    pub(super) fn other(&self, message: &str, start: usize, end: usize) -> CompileError {
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
                self.after_strings("cannot mix bytes and nonbytes literals", index)
            }
            _ if message.starts_with("Expected one or more exception types") => {
                here("expected one or more exception types")
            }
            _ if message.contains("Duplicate parameter") => here("duplicate argument in function definition"),
            _ => self.in_expression(index),
        }
    }
}

impl Context<'_> {
    /// Strings are put together when the token behind them was read.
    fn after_strings(&self, message: &str, index: usize) -> CompileError {
        let is_string = |kind| {
            use Kind::*;
            matches!(kind, String | TemplateStart | TemplateMiddle | TemplateEnd)
        };
        let tokens = &self.tokens.tokens;
        let behind = (index..tokens.len()).find(|at| !is_string(tokens[*at].kind));
        self.at_token(message, behind.unwrap_or(index))
    }
}

/// Marks an error that more input could mend: it stands at the end of the text.
pub fn incomplete(mut error: CompileError, source: &str) -> CompileError {
    // A backslash continues the string on a line that is not there yet.
    let in_string = source.ends_with("\\\n");
    let open = error.at_end
        || error.message.starts_with("unterminated triple-quoted")
        || error.message.starts_with("unterminated string literal") && in_string
        || error.message == "unexpected EOF while parsing"
        || error.message == "invalid syntax" && source.trim().is_empty();
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
