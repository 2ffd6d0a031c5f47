//! attribute tokens -> what they say: the arguments of `#[method(..)]` and its kin, doc comments, `#[cfg]`s.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Attribute, Error, Expr, ExprLit, Ident, Lit, LitCStr, LitStr, Meta, Result, Token};

use crate::text_signature::TextSignature;

/// What stands in the parentheses of an attribute on a function:
/// `"(signature)"`, `name = "..."`, and flags such as `raw` or `coexist`.
#[derive(Default)]
pub struct FnAttr {
    pub signature: Option<LitStr>,
    pub name: Option<LitStr>,
    pub flags: Vec<Ident>,
}

impl FnAttr {
    pub fn of(attr: &Attribute) -> Result<Self> {
        match &attr.meta {
            Meta::Path(_) => Ok(Self::default()),
            Meta::List(_) => attr.parse_args(),
            Meta::NameValue(meta) => Err(Error::new_spanned(meta, "expected `#[attribute(...)]`")),
        }
    }

    pub fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|f| f == flag)
    }

    /// Refuses flags that the attribute does not know.
    pub fn allow_flags(&self, known: &[&str]) -> Result<()> {
        match self.flags.iter().find(|flag| !known.iter().any(|k| *flag == k)) {
            None => Ok(()),
            Some(flag) => {
                let list = known.join(", ");
                Err(Error::new(
                    flag.span(),
                    format!("unknown flag `{flag}`; known here: {list}"),
                ))
            }
        }
    }

    pub fn text_signature(&self) -> Result<Option<TextSignature>> {
        let Some(lit) = &self.signature else {
            return Ok(None);
        };
        TextSignature::parse(&lit.value())
            .map(Some)
            .map_err(|why| Error::new(lit.span(), why))
    }
}

impl Parse for FnAttr {
    fn parse(input: ParseStream) -> Result<Self> {
        let mut attr = Self::default();
        while !input.is_empty() {
            if input.peek(LitStr) {
                let lit: LitStr = input.parse()?;
                if attr.signature.is_some() {
                    return Err(Error::new(lit.span(), "a second signature"));
                }
                attr.signature = Some(lit);
            } else {
                let key: Ident = input.parse()?;
                if input.peek(Token![=]) {
                    input.parse::<Token![=]>()?;
                    if key != "name" {
                        return Err(Error::new(key.span(), "only `name = \"...\"` takes a value"));
                    }
                    attr.name = Some(input.parse()?);
                } else {
                    attr.flags.push(key);
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(attr)
    }
}

/// Takes the attributes that `is_ours` knows out of `attrs`.
pub fn take_attrs(attrs: &mut Vec<Attribute>, is_ours: impl Fn(&str) -> bool) -> Vec<(String, Attribute)> {
    let mut ours = Vec::new();
    attrs.retain(|attr| match attr.path().get_ident().map(Ident::to_string) {
        Some(name) if is_ours(&name) => {
            ours.push((name, attr.clone()));
            false
        }
        _ => true,
    });
    ours
}

/// The `#[cfg(..)]` attributes, to be repeated on whatever is generated.
pub fn cfgs(attrs: &[Attribute]) -> TokenStream {
    attrs
        .iter()
        .filter(|attr| attr.path().is_ident("cfg"))
        .map(ToTokens::to_token_stream)
        .collect()
}

/// The doc comment: lines joined, one leading space taken off each.
pub fn doc_comment(attrs: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attr in attrs {
        if let Meta::NameValue(meta) = &attr.meta
            && meta.path.is_ident("doc")
            && let Expr::Lit(ExprLit {
                lit: Lit::Str(text), ..
            }) = &meta.value
        {
            let text = text.value();
            lines.push(text.strip_prefix(' ').unwrap_or(&text).trim_end().to_owned());
        }
    }
    lines.join("\n").trim().to_owned()
}

/// A C string literal with the given text.
pub fn c_str(text: &str, span: Span) -> Result<LitCStr> {
    let text =
        std::ffi::CString::new(text).map_err(|_| Error::new(span, "a NUL byte in a name or a docstring"))?;
    Ok(LitCStr::new(&text, span))
}

/// CPython's form of a docstring with a signature: `name(sig)\n--\n\ndoc`.
pub fn doc_with_signature(name: &str, signature: Option<&TextSignature>, doc: &str) -> String {
    match signature {
        Some(signature) if !signature.opaque && !signature.hidden => {
            format!("{name}{}\n--\n\n{doc}", signature.text)
        }
        _ => doc.to_owned(),
    }
}

/// The Python name of a Rust item: a trailing underscore only avoids a keyword, and `r#` is Rust's.
pub fn python_name(ident: &Ident) -> String {
    let name = ident.to_string();
    let name = name.strip_prefix("r#").unwrap_or(&name);
    if name.starts_with('_') {
        name.to_owned()
    } else {
        name.strip_suffix('_').unwrap_or(name).to_owned()
    }
}

pub fn error(tokens: &impl Spanned, message: impl std::fmt::Display) -> Error {
    Error::new(tokens.span(), message)
}

/// Generated tokens that errors show at `span`, where the user wrote what they come from.
pub fn respan(tokens: TokenStream, span: Span) -> TokenStream {
    let span = span.resolved_at(Span::call_site());
    tokens
        .into_iter()
        .map(|mut token| {
            if let TokenTree::Group(group) = &token {
                token = Group::new(group.delimiter(), respan(group.stream(), span)).into();
            }
            token.set_span(span);
            token
        })
        .collect()
}
