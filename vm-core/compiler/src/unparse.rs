//! AST -> text: expressions as `from __future__ import annotations` and error messages print them.

use crate::ast::*;
use crate::bytecode::{Constant, PyStr};
use std::fmt::Write;

/// Binding strength, weakest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Prec {
    Tuple,
    Test,
    Or,
    And,
    Not,
    Compare,
    BitOr,
    BitXor,
    BitAnd,
    Shift,
    Arith,
    Term,
    Factor,
    Power,
    Await,
    Atom,
}

impl Prec {
    fn next(self) -> Prec {
        use Prec::*;
        match self {
            Tuple => Test,
            Test => Or,
            Or => And,
            And => Not,
            Not => Compare,
            Compare => BitOr,
            BitOr => BitXor,
            BitXor => BitAnd,
            BitAnd => Shift,
            Shift => Arith,
            Arith => Term,
            Term => Factor,
            Factor => Power,
            Power => Await,
            Await | Atom => Atom,
        }
    }
}

/// The text of an expression.
pub fn expr(e: &Expr) -> String {
    let mut out = String::new();
    write_expr(&mut out, e, Prec::Test);
    out
}

fn binary(op: Operator) -> (&'static str, Prec, bool) {
    match op {
        Operator::Add => (" + ", Prec::Arith, false),
        Operator::Sub => (" - ", Prec::Arith, false),
        Operator::Mult => (" * ", Prec::Term, false),
        Operator::MatMult => (" @ ", Prec::Term, false),
        Operator::Div => (" / ", Prec::Term, false),
        Operator::Mod => (" % ", Prec::Term, false),
        Operator::FloorDiv => (" // ", Prec::Term, false),
        Operator::LShift => (" << ", Prec::Shift, false),
        Operator::RShift => (" >> ", Prec::Shift, false),
        Operator::BitOr => (" | ", Prec::BitOr, false),
        Operator::BitXor => (" ^ ", Prec::BitXor, false),
        Operator::BitAnd => (" & ", Prec::BitAnd, false),
        Operator::Pow => (" ** ", Prec::Power, true),
    }
}

fn compare(op: CmpOp) -> &'static str {
    match op {
        CmpOp::Eq => " == ",
        CmpOp::NotEq => " != ",
        CmpOp::Lt => " < ",
        CmpOp::LtE => " <= ",
        CmpOp::Gt => " > ",
        CmpOp::GtE => " >= ",
        CmpOp::Is => " is ",
        CmpOp::IsNot => " is not ",
        CmpOp::In => " in ",
        CmpOp::NotIn => " not in ",
    }
}

/// Puts `f`'s output in parentheses if the context binds stronger than the expression.
fn paren(out: &mut String, needed: bool, f: impl FnOnce(&mut String)) {
    if needed {
        out.push('(');
    }
    f(out);
    if needed {
        out.push(')');
    }
}

fn separated(out: &mut String, items: &[Expr]) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write_expr(out, item, Prec::Test);
    }
}

fn write_expr(out: &mut String, e: &Expr, level: Prec) {
    stacker::maybe_grow(64 * 1024, 1024 * 1024, || write_expr_inner(out, e, level));
}

fn write_expr_inner(out: &mut String, e: &Expr, level: Prec) {
    match &e.kind {
        ExprKind::BoolOp { op, values } => {
            let (text, own) = if *op == BoolOp::And {
                (" and ", Prec::And)
            } else {
                (" or ", Prec::Or)
            };
            paren(out, level > own, |out| {
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        out.push_str(text);
                    }
                    write_expr(out, value, own.next());
                }
            });
        }
        ExprKind::BinOp { left, op, right } => {
            let (text, own, right_assoc) = binary(*op);
            paren(out, level > own, |out| {
                write_expr(out, left, if right_assoc { own.next() } else { own });
                out.push_str(text);
                write_expr(out, right, if right_assoc { own } else { own.next() });
            });
        }
        ExprKind::UnaryOp { op, operand } => {
            let (text, own) = match op {
                UnaryOp::Invert => ("~", Prec::Factor),
                UnaryOp::Not => ("not ", Prec::Not),
                UnaryOp::UAdd => ("+", Prec::Factor),
                UnaryOp::USub => ("-", Prec::Factor),
            };
            paren(out, level > own, |out| {
                out.push_str(text);
                write_expr(out, operand, own);
            });
        }
        ExprKind::Lambda { args, body } => paren(out, level > Prec::Test, |out| {
            let params = arguments(args);
            out.push_str(if params.is_empty() { "lambda" } else { "lambda " });
            out.push_str(&params);
            out.push_str(": ");
            write_expr(out, body, Prec::Test);
        }),
        ExprKind::IfExp { test, body, orelse } => paren(out, level > Prec::Test, |out| {
            write_expr(out, body, Prec::Or);
            out.push_str(" if ");
            write_expr(out, test, Prec::Or);
            out.push_str(" else ");
            write_expr(out, orelse, Prec::Test);
        }),
        ExprKind::Dict { keys, values } => {
            out.push('{');
            for (index, (key, value)) in keys.iter().zip(values).enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                match key {
                    Some(key) => {
                        write_expr(out, key, Prec::Test);
                        out.push_str(": ");
                        write_expr(out, value, Prec::Test);
                    }
                    None => {
                        out.push_str("**");
                        write_expr(out, value, Prec::BitOr);
                    }
                }
            }
            out.push('}');
        }
        ExprKind::Set { elts } => {
            out.push('{');
            separated(out, elts);
            out.push('}');
        }
        ExprKind::ListComp { elt, generators } => comprehension(out, "[", elt, None, generators, "]"),
        ExprKind::SetComp { elt, generators } => comprehension(out, "{", elt, None, generators, "}"),
        ExprKind::GeneratorExp { elt, generators } => comprehension(out, "(", elt, None, generators, ")"),
        ExprKind::DictComp {
            key,
            value,
            generators,
        } => {
            comprehension(out, "{", key, Some(value), generators, "}");
        }
        ExprKind::Yield { value } => {
            out.push_str("(yield");
            if let Some(value) = value {
                out.push(' ');
                write_expr(out, value, Prec::Tuple);
            }
            out.push(')');
        }
        ExprKind::YieldFrom { value } => {
            out.push_str("(yield from ");
            write_expr(out, value, Prec::Test);
            out.push(')');
        }
        ExprKind::Await { value } => paren(out, level > Prec::Await, |out| {
            out.push_str("await ");
            write_expr(out, value, Prec::Atom);
        }),
        ExprKind::Compare {
            left,
            ops,
            comparators,
        } => paren(out, level > Prec::Compare, |out| {
            write_expr(out, left, Prec::Compare.next());
            for (op, right) in ops.iter().zip(comparators) {
                out.push_str(compare(*op));
                write_expr(out, right, Prec::Compare.next());
            }
        }),
        ExprKind::Call { func, args, keywords } => call(out, func, args, keywords),
        ExprKind::JoinedStr { .. } | ExprKind::FormattedValue { .. } => out.push_str(&template(e, "f")),
        ExprKind::TemplateStr { .. } | ExprKind::Interpolation { .. } => out.push_str(&template(e, "t")),
        ExprKind::Constant { value, kind } => {
            if kind.is_some() {
                out.push('u');
            }
            out.push_str(&constant(value));
        }
        ExprKind::Attribute { value, attr, .. } => {
            write_expr(out, value, Prec::Atom);
            if matches!(value.as_constant(), Some(Constant::Int(_) | Constant::BigInt(_))) {
                out.push(' ');
            }
            out.push('.');
            out.push_str(attr);
        }
        ExprKind::Starred { value, .. } => {
            out.push('*');
            write_expr(out, value, Prec::BitOr);
        }
        ExprKind::Name { id, .. } => out.push_str(id),
        ExprKind::List { elts, .. } => {
            out.push('[');
            separated(out, elts);
            out.push(']');
        }
        ExprKind::Tuple { elts, .. } => {
            if elts.is_empty() {
                out.push_str("()");
                return;
            }
            paren(out, level > Prec::Tuple, |out| {
                separated(out, elts);
                if elts.len() == 1 {
                    out.push(',');
                }
            });
        }
        ExprKind::Subscript { value, slice, .. } => {
            write_expr(out, value, Prec::Atom);
            out.push('[');
            write_expr(out, slice, Prec::Tuple);
            out.push(']');
        }
        ExprKind::Slice { lower, upper, step } => {
            if let Some(lower) = lower {
                write_expr(out, lower, Prec::Test);
            }
            out.push(':');
            if let Some(upper) = upper {
                write_expr(out, upper, Prec::Test);
            }
            if let Some(step) = step {
                out.push(':');
                write_expr(out, step, Prec::Test);
            }
        }
        ExprKind::NamedExpr { target, value } => paren(out, level > Prec::Tuple, |out| {
            write_expr(out, target, Prec::Atom);
            out.push_str(" := ");
            write_expr(out, value, Prec::Atom);
        }),
    }
}

fn call(out: &mut String, func: &Expr, args: &[Expr], keywords: &[Keyword]) {
    write_expr(out, func, Prec::Atom);
    if let (
        [
            Expr {
                kind: ExprKind::GeneratorExp { .. },
                ..
            },
        ],
        [],
    ) = (args, keywords)
    {
        return write_expr(out, &args[0], Prec::Test);
    }
    out.push('(');
    separated(out, args);
    for (index, keyword) in keywords.iter().enumerate() {
        if index > 0 || !args.is_empty() {
            out.push_str(", ");
        }
        match &keyword.arg {
            Some(name) => drop(write!(out, "{name}=")),
            None => out.push_str("**"),
        }
        write_expr(out, &keyword.value, Prec::Test);
    }
    out.push(')');
}

fn comprehension(
    out: &mut String,
    open: &str,
    elt: &Expr,
    value: Option<&Expr>,
    generators: &[Comprehension],
    close: &str,
) {
    out.push_str(open);
    write_expr(out, elt, Prec::Test);
    if let Some(value) = value {
        out.push_str(": ");
        write_expr(out, value, Prec::Test);
    }
    for generator in generators {
        out.push_str(if generator.is_async {
            " async for "
        } else {
            " for "
        });
        write_expr(out, &generator.target, Prec::Tuple);
        out.push_str(" in ");
        write_expr(out, &generator.iter, Prec::Or);
        for condition in &generator.ifs {
            out.push_str(" if ");
            write_expr(out, condition, Prec::Or);
        }
    }
    out.push_str(close);
}

fn arguments(args: &Arguments) -> String {
    let mut parts: Vec<String> = Vec::new();
    let with_default = |arg: &Arg, default: Option<&Expr>| {
        let mut text = arg.arg.to_string();
        if let Some(annotation) = &arg.annotation {
            text.push_str(": ");
            write_expr(&mut text, annotation, Prec::Test);
        }
        if let Some(default) = default {
            text.push('=');
            write_expr(&mut text, default, Prec::Test);
        }
        text
    };
    let n_positional = args.posonlyargs.len() + args.args.len();
    for (index, arg) in args.posonlyargs.iter().chain(&args.args).enumerate() {
        let default = (index + args.defaults.len())
            .checked_sub(n_positional)
            .and_then(|i| args.defaults.get(i));
        parts.push(with_default(arg, default));
        if index + 1 == args.posonlyargs.len() {
            parts.push("/".into());
        }
    }
    match &args.vararg {
        Some(vararg) => parts.push(format!("*{}", with_default(vararg, None))),
        None if !args.kwonlyargs.is_empty() => parts.push("*".into()),
        None => {}
    }
    for (arg, default) in args.kwonlyargs.iter().zip(&args.kw_defaults) {
        parts.push(with_default(arg, default.as_ref()));
    }
    if let Some(kwarg) = &args.kwarg {
        parts.push(format!("**{}", with_default(kwarg, None)));
    }
    parts.join(", ")
}

/// An f-string or t-string: its body is built first, then quoted like a string.
fn template(e: &Expr, prefix: &str) -> String {
    let mut body = Vec::new();
    template_part(&mut body, e);
    format!("{prefix}{}", str_repr(&PyStr::from_wtf8(body)))
}

fn template_part(body: &mut Vec<u8>, e: &Expr) {
    let mut field = |value: &Expr, conversion: i32, spec: &Option<Box<Expr>>| {
        let mut text = String::new();
        write_expr(&mut text, value, Prec::Test.next());
        body.push(b'{');
        if text.starts_with('{') {
            body.push(b' ');
        }
        body.extend_from_slice(text.as_bytes());
        if let Ok(letter) = u8::try_from(conversion) {
            body.extend_from_slice(&[b'!', letter]);
        }
        if let Some(spec) = spec {
            body.push(b':');
            template_part(body, spec);
        }
        body.push(b'}');
    };
    match &e.kind {
        ExprKind::JoinedStr { values } | ExprKind::TemplateStr { values } => {
            values.iter().for_each(|value| template_part(body, value));
        }
        ExprKind::Constant {
            value: Constant::Str(text),
            ..
        } => {
            for byte in text.as_wtf8() {
                body.push(*byte);
                if matches!(byte, b'{' | b'}') {
                    body.push(*byte);
                }
            }
        }
        ExprKind::FormattedValue {
            value,
            conversion,
            format_spec,
        } => field(value, *conversion, format_spec),
        ExprKind::Interpolation {
            str: Constant::Str(source),
            conversion,
            format_spec,
            ..
        } => {
            // The expression's own text.
            let name = Ident::from(String::from_utf8_lossy(source.as_wtf8()).as_ref());
            let kind = ExprKind::Name {
                id: name,
                ctx: ExprContext::Load,
            };
            field(&Expr { pos: e.pos, kind }, *conversion, format_spec);
        }
        ExprKind::Interpolation {
            value,
            conversion,
            format_spec,
            ..
        } => field(value, *conversion, format_spec),
        _ => {}
    }
}

/// `repr()` of a constant.
pub fn constant(value: &Constant) -> String {
    match value {
        Constant::None => "None".into(),
        Constant::True => "True".into(),
        Constant::False => "False".into(),
        Constant::Ellipsis => "...".into(),
        Constant::Int(value) => value.to_string(),
        Constant::BigInt(value) => value.to_string(),
        Constant::Float(value) => float_repr(*value),
        Constant::Complex(re, im) => complex_repr(*re, *im),
        Constant::Str(text) => str_repr(text),
        Constant::Bytes(bytes) => bytes_repr(bytes),
        Constant::Tuple(items) => {
            let comma = if items.len() == 1 { "," } else { "" };
            format!(
                "({}{comma})",
                items.iter().map(constant).collect::<Vec<_>>().join(", ")
            )
        }
        Constant::FrozenSet(items) => {
            format!(
                "frozenset({{{}}})",
                items.iter().map(constant).collect::<Vec<_>>().join(", ")
            )
        }
        Constant::Slice(parts) => {
            format!(
                "slice({}, {}, {})",
                constant(&parts[0]),
                constant(&parts[1]),
                constant(&parts[2])
            )
        }
        Constant::Code(code) => format!("<code {}>", code.qualname.as_str().unwrap_or("?")),
    }
}

/// `repr()` of a float; infinity as the literal that overflows to it.
fn float_repr(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 {
            "1e309".into()
        } else {
            "-1e309".into()
        };
    }
    if value.is_nan() {
        return "nan".into();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = format!("{value}");
        return if plain.contains('.') {
            plain
        } else {
            format!("{plain}.0")
        };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

fn complex_repr(re: f64, im: f64) -> String {
    let short = |value: f64| {
        let text = float_repr(value);
        text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
    };
    if re == 0.0 && re.is_sign_positive() {
        return format!("{}j", short(im));
    }
    let sign = if im.is_sign_negative() { "" } else { "+" };
    format!("({}{sign}{}j)", short(re), short(im))
}

fn bytes_repr(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') {
        '"'
    } else {
        '\''
    };
    let mut out = format!("b{quote}");
    for byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b if char::from(*b) == quote => {
                out.push('\\');
                out.push(quote);
            }
            0x20..0x7F => out.push(char::from(*byte)),
            _ => drop(write!(out, "\\x{byte:02x}")),
        }
    }
    out.push(quote);
    out
}

/// `repr()` of a string.
pub fn str_repr(text: &PyStr) -> String {
    let has_single = text.as_wtf8().contains(&b'\'');
    let has_double = text.as_wtf8().contains(&b'"');
    let quote = if has_single && !has_double { '"' } else { '\'' };
    let mut out = String::new();
    out.push(quote);
    for point in text.code_points() {
        match char::from_u32(point) {
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some('\\') => out.push_str("\\\\"),
            Some(c) if c == quote => {
                out.push('\\');
                out.push(c);
            }
            Some(c) if (c as u32) < 0x20 || c as u32 == 0x7F => drop(write!(out, "\\x{point:02x}")),
            Some(c) if c.is_ascii() => out.push(c),
            Some(c) if !c.is_control() && !is_unprintable(c) => out.push(c),
            _ if point < 0x100 => drop(write!(out, "\\x{point:02x}")),
            _ if point < 0x1_0000 => drop(write!(out, "\\u{point:04x}")),
            _ => drop(write!(out, "\\U{point:08x}")),
        }
    }
    out.push(quote);
    out
}

/// Separators and format characters, roughly: what `str.isprintable` excludes beyond control characters.
fn is_unprintable(c: char) -> bool {
    c.is_whitespace()
        || matches!(c as u32, 0xAD | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0xFEFF | 0xFFF9..=0xFFFB
            | 0xE000..=0xF8FF | 0xE0000..=0xE007F | 0xF0000..=0x10FFFF)
}
