//! The table of node classes: Python 3.14's abstract grammar. Classes, constructors, both conversions and the error
//! texts come from it.

/// How many of a field there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    One,
    Optional,
    Many,
}

/// A field, read from its text in the table (`expr? value`).
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// `expr`, `identifier`, `int`, …
    pub kind: &'static str,
    pub quantity: Quantity,
    pub name: &'static str,
}

/// What a row of the table describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// An abstract class with alternatives.
    Sum,
    /// One alternative of a sum.
    Alternative(Kind),
    /// A class on its own.
    Product,
}

#[derive(Debug)]
pub struct NodeClass {
    pub kind: Kind,
    pub name: &'static str,
    pub role: Role,
    /// Nodes have `lineno` and so on (of a sum: its alternatives).
    pub located: bool,
    fields: &'static str,
}

impl NodeClass {
    pub fn fields(&self) -> impl Iterator<Item = Field> {
        self.fields
            .split(", ")
            .filter(|text| !text.is_empty())
            .map(|text| {
                let (kind, name) = text.split_once(' ').expect("a field is a kind and a name");
                let (quantity, kind) = match kind.as_bytes().last() {
                    Some(b'*') => (Quantity::Many, kind.trim_end_matches(['*', '?'])),
                    Some(b'?') => (Quantity::Optional, kind.trim_end_matches('?')),
                    _ => (Quantity::One, kind),
                };
                Field { kind, quantity, name }
            })
    }

    /// The signature, which is the class's docstring.
    pub fn signature(&self) -> String {
        if self.fields.is_empty() {
            self.name.to_owned()
        } else {
            format!("{}({})", self.name, self.fields)
        }
    }
}

/// The docstring of a sum: its alternatives. Those without fields stand on one line.
pub fn sum_doc(sum: &NodeClass) -> String {
    let alternatives: Vec<&NodeClass> = NODES
        .iter()
        .filter(|node| node.role == Role::Alternative(sum.kind))
        .collect();
    let separator = if alternatives.iter().all(|node| node.fields.is_empty()) {
        " | ".to_owned()
    } else {
        format!("\n{}| ", " ".repeat(sum.name.len() + 1))
    };
    let signatures: Vec<String> = alternatives.iter().map(|node| node.signature()).collect();
    format!("{} = {}", sum.name, signatures.join(&separator))
}

impl Kind {
    pub fn class(self) -> &'static NodeClass {
        &NODES[self as usize]
    }
}

/// `mod` is a keyword of Rust's.
const fn plain_name(name: &'static str) -> &'static str {
    match name.as_bytes() {
        [b'r', b'#', ..] => name.split_at(2).1,
        _ => name,
    }
}

macro_rules! nodes {
    (@located located) => { true };
    (@located plain) => { false };
    (@role sum) => { Role::Sum };
    (@role product) => { Role::Product };
    ($(
        $place:ident $role:ident $base:ident $base_fields:literal {
            $($name:ident $fields:literal,)*
        }
    )*) => {
        /// A node class; its number is its row in `NODES`.
        #[allow(non_camel_case_types)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Kind { $($base, $($name,)*)* }

        pub static NODES: &[NodeClass] = &[$(
            NodeClass {
                kind: Kind::$base,
                name: plain_name(stringify!($base)),
                role: nodes!(@role $role),
                located: nodes!(@located $place),
                fields: $base_fields,
            },
            $(NodeClass {
                kind: Kind::$name,
                name: stringify!($name),
                role: Role::Alternative(Kind::$base),
                located: nodes!(@located $place),
                fields: $fields,
            },)*
        )*];
    };
}

nodes! {
    plain sum r#mod "" {
        Module "stmt* body, type_ignore* type_ignores",
        Interactive "stmt* body",
        Expression "expr body",
        FunctionType "expr* argtypes, expr returns",
    }
    located sum stmt "" {
        FunctionDef "identifier name, arguments args, stmt* body, expr* decorator_list, expr? returns, string? type_comment, type_param* type_params",
        AsyncFunctionDef "identifier name, arguments args, stmt* body, expr* decorator_list, expr? returns, string? type_comment, type_param* type_params",
        ClassDef "identifier name, expr* bases, keyword* keywords, stmt* body, expr* decorator_list, type_param* type_params",
        Return "expr? value",
        Delete "expr* targets",
        Assign "expr* targets, expr value, string? type_comment",
        TypeAlias "expr name, type_param* type_params, expr value",
        AugAssign "expr target, operator op, expr value",
        AnnAssign "expr target, expr annotation, expr? value, int simple",
        For "expr target, expr iter, stmt* body, stmt* orelse, string? type_comment",
        AsyncFor "expr target, expr iter, stmt* body, stmt* orelse, string? type_comment",
        While "expr test, stmt* body, stmt* orelse",
        If "expr test, stmt* body, stmt* orelse",
        With "withitem* items, stmt* body, string? type_comment",
        AsyncWith "withitem* items, stmt* body, string? type_comment",
        Match "expr subject, match_case* cases",
        Raise "expr? exc, expr? cause",
        Try "stmt* body, excepthandler* handlers, stmt* orelse, stmt* finalbody",
        TryStar "stmt* body, excepthandler* handlers, stmt* orelse, stmt* finalbody",
        Assert "expr test, expr? msg",
        Import "alias* names",
        ImportFrom "identifier? module, alias* names, int? level",
        Global "identifier* names",
        Nonlocal "identifier* names",
        Expr "expr value",
        Pass "",
        Break "",
        Continue "",
    }
    located sum expr "" {
        BoolOp "boolop op, expr* values",
        NamedExpr "expr target, expr value",
        BinOp "expr left, operator op, expr right",
        UnaryOp "unaryop op, expr operand",
        Lambda "arguments args, expr body",
        IfExp "expr test, expr body, expr orelse",
        Dict "expr?* keys, expr* values",
        Set "expr* elts",
        ListComp "expr elt, comprehension* generators",
        SetComp "expr elt, comprehension* generators",
        DictComp "expr key, expr value, comprehension* generators",
        GeneratorExp "expr elt, comprehension* generators",
        Await "expr value",
        Yield "expr? value",
        YieldFrom "expr value",
        Compare "expr left, cmpop* ops, expr* comparators",
        Call "expr func, expr* args, keyword* keywords",
        FormattedValue "expr value, int conversion, expr? format_spec",
        Interpolation "expr value, constant str, int conversion, expr? format_spec",
        JoinedStr "expr* values",
        TemplateStr "expr* values",
        Constant "constant value, string? kind",
        Attribute "expr value, identifier attr, expr_context ctx",
        Subscript "expr value, expr slice, expr_context ctx",
        Starred "expr value, expr_context ctx",
        Name "identifier id, expr_context ctx",
        List "expr* elts, expr_context ctx",
        Tuple "expr* elts, expr_context ctx",
        Slice "expr? lower, expr? upper, expr? step",
    }
    plain sum expr_context "" {
        Load "",
        Store "",
        Del "",
    }
    plain sum boolop "" {
        And "",
        Or "",
    }
    plain sum operator "" {
        Add "",
        Sub "",
        Mult "",
        MatMult "",
        Div "",
        Mod "",
        Pow "",
        LShift "",
        RShift "",
        BitOr "",
        BitXor "",
        BitAnd "",
        FloorDiv "",
    }
    plain sum unaryop "" {
        Invert "",
        Not "",
        UAdd "",
        USub "",
    }
    plain sum cmpop "" {
        Eq "",
        NotEq "",
        Lt "",
        LtE "",
        Gt "",
        GtE "",
        Is "",
        IsNot "",
        In "",
        NotIn "",
    }
    plain product comprehension "expr target, expr iter, expr* ifs, int is_async" {}
    located sum excepthandler "" {
        ExceptHandler "expr? type, identifier? name, stmt* body",
    }
    plain product arguments "arg* posonlyargs, arg* args, arg? vararg, arg* kwonlyargs, expr?* kw_defaults, arg? kwarg, expr* defaults" {}
    located product arg "identifier arg, expr? annotation, string? type_comment" {}
    located product keyword "identifier? arg, expr value" {}
    located product alias "identifier name, identifier? asname" {}
    plain product withitem "expr context_expr, expr? optional_vars" {}
    plain product match_case "pattern pattern, expr? guard, stmt* body" {}
    located sum pattern "" {
        MatchValue "expr value",
        MatchSingleton "constant value",
        MatchSequence "pattern* patterns",
        MatchMapping "expr* keys, pattern* patterns, identifier? rest",
        MatchClass "expr cls, pattern* patterns, identifier* kwd_attrs, pattern* kwd_patterns",
        MatchStar "identifier? name",
        MatchAs "pattern? pattern, identifier? name",
        MatchOr "pattern* patterns",
    }
    plain sum type_ignore "" {
        TypeIgnore "int lineno, string tag",
    }
    located sum type_param "" {
        TypeVar "identifier name, expr? bound, expr? default_value",
        ParamSpec "identifier name, expr? default_value",
        TypeVarTuple "identifier name, expr? default_value",
    }
}
