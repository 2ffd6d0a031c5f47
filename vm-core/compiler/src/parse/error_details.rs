//! Errors that need a closer look at the tokens: missing commas and colons, unfinished expressions, misplaced stars, missing
//! bodies.

use super::context::{Context, token_or};
use super::targets;
use super::tokenizer::{END_MINUS_ONE, END_ZERO, Kind};
use crate::bytecode::Position;
use crate::error::{CompileError, ErrorKind};
use ruff_python_ast::token::TokenKind;
use ruff_text_size::TextSize;

impl Context<'_> {
    /// Two statements without a separator between them.
    pub(super) fn adjacent_statements(&self, index: usize) -> CompileError {
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
        if self.text(&second) == "<>" {
            return self.in_expression(index);
        }
        if index > first && self.text(&tokens[index - 1]) == "else" && self.unfinished_else(index - 1) {
            return self.at_token("expected expression after 'else', but statement is given", index);
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

    /// An unexpected token inside an expression: a missing comma, `=` for `==`, an unfinished `if`.
    pub(super) fn in_expression(&self, index: usize) -> CompileError {
        let tokens = &self.tokens.tokens;
        if let Some(error) = self.string_interrupted(index) {
            return error;
        }
        let token = &tokens[index];
        const STATEMENTS: [&str; 11] = [
            "pass", "break", "continue", "return", "raise", "assert", "del", "global", "nonlocal", "import",
            "from",
        ];
        if STATEMENTS.contains(&self.text(token)) && self.text(token_or(tokens, index + 1)) == "if" {
            return self.at_token("expected expression before 'if', but statement is given", index);
        }
        if index > 0 && self.text(&tokens[index - 1]) == "else" && self.unfinished_else(index - 1) {
            return self.at_token("expected expression after 'else', but statement is given", index);
        }
        if index >= 2
            && self.text(&tokens[index - 2]) == "as"
            && self.text(&tokens[self.line_start(index)]) == "case"
            && matches!(self.text(token), "." | "[" | "(")
        {
            let what = match self.text(token) {
                "." => "attribute",
                "[" => "subscript",
                _ => "function call",
            };
            let end = tokens[self.operand_end(index)].end;
            let message = format!("cannot use {what} as pattern target");
            return self.syntax_error(message, tokens[index - 1].start, end);
        }
        if self.text(token) == "<>" {
            return self.at_token("invalid syntax. Maybe you meant '!=' instead of '<>'?", index);
        }
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
    pub(super) fn unfinished_conditional(&self, index: usize) -> Option<CompileError> {
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
    pub(super) fn equal_sign(&self, index: usize) -> CompileError {
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

    pub(super) fn expected_token(&self, expected: TokenKind, index: usize) -> CompileError {
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

    pub(super) fn except_target(&self, index: usize) -> CompileError {
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
    pub(super) fn expected_expression(&self, index: usize) -> CompileError {
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

    pub(super) fn unfinished_else(&self, index: usize) -> bool {
        let tokens = &self.tokens.tokens;
        let start = self.line_start(index);
        index > start && (start..index).any(|i| self.text(&tokens[i]) == "if" && i > start)
    }

    /// An argument error is shown at the closing parenthesis of the call.
    pub(super) fn after_arguments(&self, message: &str, start: usize) -> CompileError {
        let index = self.token_at(start);
        let tokens = &self.tokens.tokens;
        let level = tokens[index].level;
        let close = (index..tokens.len())
            .find(|i| tokens[*i].level < level)
            .unwrap_or(index);
        self.at_token(message, close)
    }

    pub(super) fn previous_starred(&self, start: usize) -> Option<usize> {
        let index = self.token_at(start);
        let tokens = &self.tokens.tokens;
        let level = tokens[index].level;
        (0..index)
            .rev()
            .find(|i| tokens[*i].level == level && self.text(&tokens[*i]) == ",")
            .map(|i| tokens[i].start)
    }

    pub(super) fn starred(&self, start: usize, end: usize) -> CompileError {
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

    pub(super) fn bare_star(&self, index: usize) -> CompileError {
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

    pub(super) fn import_names(&self, index: usize) -> CompileError {
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

    pub(super) fn import_target(&self, index: usize) -> CompileError {
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
    pub(super) fn bad_keyword(&self, index: usize, start: usize, end: usize) -> CompileError {
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
    pub(super) fn missing_block(&self, what: &str, index: usize) -> CompileError {
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
