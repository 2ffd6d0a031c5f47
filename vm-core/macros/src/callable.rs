//! a Rust function and its text signature -> a C wrapper with argument parsing, and its row in a method table.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, FnArg, GenericArgument, Ident, PathArguments, Result, Signature, Type};

use crate::attrs::{FnAttr, c_str, doc_with_signature, error, respan};
use crate::text_signature::{Convention, Kind, Param, TextSignature};

/// What the wrapper hands over before the arguments of the signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Receiver {
    /// The instance: `&self`, or a first parameter `&PyObject`.
    Instance,
    /// The type: `cls: &PyTypeObject`.
    Class,
    /// The module: `module: &PyModuleObject`.
    Module,
    /// Nothing: static methods and module functions.
    None,
}

/// A function to be called from a wrapper.
pub struct Callee<'a> {
    /// How to name it from the place where the wrapper stands.
    pub path: TokenStream,
    pub sig: &'a Signature,
    /// The type that `&self` borrows; none for module functions.
    pub self_ty: Option<&'a Type>,
    pub receiver: Receiver,
    pub python_name: String,
    /// Name for the wrapper, as it shows in backtraces and profiles.
    pub wrapper: Ident,
}

pub struct MethodRow {
    pub attr: FnAttr,
    pub doc: String,
    pub cfg: TokenStream,
}

impl Callee<'_> {
    /// The parameters after the receiver.
    fn typed_params(&self) -> Result<Vec<&Type>> {
        let mut inputs = self.sig.inputs.iter();
        if self.receiver != Receiver::None && inputs.next().is_none() {
            return Err(error(&self.sig.ident, "the first parameter must be the receiver"));
        }
        inputs
            .map(|input| match input {
                FnArg::Typed(param) => Ok(&*param.ty),
                FnArg::Receiver(receiver) => Err(error(receiver, "no `self` here")),
            })
            .collect()
    }

    /// The receiver as an argument, from the raw pointer `self_`.
    fn receiver_arg(&self) -> Result<TokenStream> {
        let runtime_arg = match self.receiver {
            Receiver::None => return Ok(TokenStream::new()),
            Receiver::Class => {
                quote!(unsafe { ::adder_runtime::args::borrow::<::adder_runtime::abi::PyTypeObject>(self_) },)
            }
            Receiver::Module | Receiver::Instance => {
                let ty = instance_type(self.sig, self.self_ty)?;
                quote!(unsafe { ::adder_runtime::args::borrow::<#ty>(self_) },)
            }
        };
        Ok(runtime_arg)
    }

    fn check_count(&self, signature: &TextSignature, types: &[&Type]) -> Result<()> {
        if types.len() == signature.params.len() {
            return Ok(());
        }
        let message = format!(
            "the signature {:?} has {} parameter(s), the function has {} after the receiver",
            signature.text,
            signature.params.len(),
            types.len()
        );
        Err(error(&self.sig.inputs, message).or_at(self.sig.ident.span()))
    }

    fn call(&self, args: &[TokenStream]) -> Result<TokenStream> {
        let receiver = self.receiver_arg()?;
        let path = &self.path;
        let span = self.sig.ident.span();
        let convert = respan(quote!(::adder_runtime::args::IntoPy::into_py), span);
        let path = respan(path.clone(), span);
        Ok(quote_spanned!(span=> #convert(#path(#receiver #(#args),*))))
    }

    /// `static SIG: Signature` for the runtime's binder and for error messages.
    fn signature_static(&self, signature: &TextSignature) -> TokenStream {
        let name = &self.python_name;
        let names = signature.slots().map(|p| &p.name);
        let (n_posonly, n_pos) = (signature.n_posonly(), signature.n_positional());
        let n_required = signature.n_required_positional();
        let mut required = 0u64;
        for (idx, param) in signature.slots().enumerate() {
            if param.default.is_none() {
                required |= 1 << idx;
            }
        }
        let (varargs, varkw) = (signature.has_varargs(), signature.has_varkw());
        quote! {
            static SIG: ::adder_runtime::args::Signature = ::adder_runtime::args::Signature {
                name: #name,
                params: &[#(#names),*],
                n_posonly: #n_posonly,
                n_pos: #n_pos,
                n_required: #n_required,
                required: #required,
                varargs: #varargs,
                varkw: #varkw,
            };
        }
    }

    /// The wrapper of a METH_METHOD row: the defining class is passed by who calls, and not needed by native code.
    fn class_method_wrapper(&self, signature: &TextSignature) -> Result<TokenStream> {
        let types = self.typed_params()?;
        self.check_count(signature, &types)?;
        let sig_static = self.signature_static(signature);
        let wrapper = &self.wrapper;
        let object = quote!(*mut ::adder_runtime::abi::PyObject);
        let prelude = bind(signature, &quote!(vectorcall), &quote!(args, nargs, kwnames));
        let (lets, names) = conversions(signature, &types, &bound_sources(signature))?;
        let call = self.call(&names)?;
        Ok(quote! {
            unsafe extern "C" fn #wrapper(
                self_: #object, _: *mut ::adder_runtime::abi::PyTypeObject,
                args: *const #object, nargs: isize, kwnames: #object,
            ) -> #object {
                #sig_static
                ::adder_runtime::args::boundary_obj(|| { #prelude #lets #call })
            }
        })
    }

    /// The wrapper for a method table.
    pub fn method_wrapper(&self, signature: &TextSignature) -> Result<TokenStream> {
        let types = self.typed_params()?;
        self.check_count(signature, &types)?;
        let sig_static = self.signature_static(signature);
        let wrapper = &self.wrapper;
        let object = quote!(*mut ::adder_runtime::abi::PyObject);
        let (c_params, prelude, sources) = match signature.convention() {
            Convention::NoArgs => {
                let call = self.call(&[])?;
                return Ok(quote! {
                    unsafe extern "C" fn #wrapper(self_: #object, _: #object) -> #object {
                        ::adder_runtime::args::boundary_obj(|| #call)
                    }
                });
            }
            Convention::O => (
                quote!(arg: #object),
                quote!(),
                vec![Source::Required(quote!(unsafe {
                    ::adder_runtime::args::borrow::<::adder_runtime::abi::PyObject>(arg)
                }))],
            ),
            Convention::Fastcall => (
                quote!(args: *const #object, nargs: isize),
                quote! {
                    let args = unsafe { ::adder_runtime::args::arg_slice(args, nargs) };
                    SIG.check_positional(args.len())?;
                },
                positional_sources(signature),
            ),
            Convention::FastcallKeywords => (
                quote!(args: *const #object, nargs: isize, kwnames: #object),
                bind(signature, &quote!(vectorcall), &quote!(args, nargs, kwnames)),
                bound_sources(signature),
            ),
        };
        let (lets, names) = conversions(signature, &types, &sources)?;
        let call = self.call(&names)?;
        Ok(quote! {
            unsafe extern "C" fn #wrapper(self_: #object, #c_params) -> #object {
                #sig_static
                ::adder_runtime::args::boundary_obj(|| { #prelude #lets #call })
            }
        })
    }

    /// The whole expression of a `PyMethodDef`.
    pub fn method_def(&self, row: &MethodRow) -> Result<TokenStream> {
        let span = self.sig.ident.span();
        let raw = row.attr.has("raw");
        let signature = self.signature_or_default(&row.attr)?;
        let (constructor, wrapper_fn) = if raw {
            self.raw_wrapper()?
        } else if row.attr.has("defining_class") {
            ("method_def_method", self.class_method_wrapper(&signature)?)
        } else {
            if signature.opaque {
                return Err(Error::new(span, "`(...)` needs the flag `raw`"));
            }
            let constructor = match signature.convention() {
                Convention::NoArgs => "method_def_noargs",
                Convention::O => "method_def_o",
                Convention::Fastcall => "method_def_fastcall",
                Convention::FastcallKeywords => "method_def_fastcall_keywords",
            };
            (constructor, self.method_wrapper(&signature)?)
        };
        let constructor = format_ident!("{constructor}");
        let name = c_str(&self.python_name, span)?;
        let doc = c_str(
            &doc_with_signature(&self.python_name, Some(&signature), &row.doc),
            span,
        )?;
        let mut flags = match self.receiver {
            Receiver::Class => quote!(::adder_runtime::abi::METH_CLASS),
            Receiver::None if self.self_ty.is_some() => quote!(::adder_runtime::abi::METH_STATIC),
            _ => quote!(0),
        };
        if row.attr.has("coexist") {
            flags = quote!(#flags | ::adder_runtime::abi::METH_COEXIST);
        }
        let (cfg, wrapper) = (&row.cfg, &self.wrapper);
        Ok(quote! {
            #cfg {
                #wrapper_fn
                ::adder_runtime::args::#constructor(#name, #wrapper, #flags, #doc)
            }
        })
    }

    /// The signature of the attribute, with its receiver filled in; a function without parameters needs none.
    fn signature_or_default(&self, attr: &FnAttr) -> Result<TextSignature> {
        let dollar = match self.receiver {
            Receiver::Instance => "$self",
            Receiver::Class => "$type",
            Receiver::Module => "$module",
            Receiver::None if self.self_ty.is_some() => "",
            Receiver::None => "$module",
        };
        let Some(signature) = attr.text_signature()? else {
            if !self.typed_params()?.is_empty() {
                let message = "a text signature is needed, such as \"($self, object, /)\"";
                return Err(error(&self.sig.ident, message));
            }
            let text = if dollar.is_empty() {
                "()".to_owned()
            } else {
                format!("({dollar}, /)")
            };
            return TextSignature::parse(&text).map_err(|why| error(&self.sig.ident, why));
        };
        if signature.receiver.is_some() || dollar.is_empty() || signature.opaque {
            return Ok(signature);
        }
        let rest = signature.text[1..signature.text.len() - 1].trim();
        let text = match (rest, signature.n_posonly()) {
            ("", _) => format!("({dollar}, /)"),
            (_, 0) => format!("({dollar}, /, {rest})"),
            _ => format!("({dollar}, {rest})"),
        };
        TextSignature::parse(&text).map_err(|why| error(&self.sig.ident, why))
    }

    /// `raw`: the function takes `args: &[&PyObject]` and, if it wants keywords, `kwnames: Option<&PyTupleObject>`.
    fn raw_wrapper(&self) -> Result<(&'static str, TokenStream)> {
        let object = quote!(*mut ::adder_runtime::abi::PyObject);
        let wrapper = &self.wrapper;
        let slice = quote!(unsafe { ::adder_runtime::args::arg_slice(args, nargs) });
        let types = self.typed_params()?;
        match types.len() {
            1 => {
                let call = self.call(&[slice])?;
                let wrapper_fn = quote! {
                    unsafe extern "C" fn #wrapper(self_: #object, args: *const #object, nargs: isize) -> #object {
                        ::adder_runtime::args::boundary_obj(|| #call)
                    }
                };
                Ok(("method_def_fastcall", wrapper_fn))
            }
            2 => {
                let names = if last_segment_is(types[1], "Kwargs") {
                    quote!(unsafe { ::adder_runtime::args::Kwargs::new(args, nargs, kwnames) })
                } else {
                    quote!(unsafe {
                        ::adder_runtime::args::borrow_opt::<::adder_runtime::abi::PyTupleObject>(kwnames)
                    })
                };
                let call = self.call(&[slice, names])?;
                let wrapper_fn = quote! {
                    unsafe extern "C" fn #wrapper(
                        self_: #object, args: *const #object, nargs: isize, kwnames: #object,
                    ) -> #object {
                        ::adder_runtime::args::boundary_obj(|| #call)
                    }
                };
                Ok(("method_def_fastcall_keywords", wrapper_fn))
            }
            _ => Err(error(
                &self.sig.ident,
                "a `raw` function takes `args: &[&PyObject]`, then optionally `kwargs: Kwargs<'_>`",
            )),
        }
    }

    /// The body of `tp_new`/`tp_init`: `self_`, `args` (a tuple) and `kwargs` (a dict or NULL) -> a `PyResult`.
    pub fn tuple_body(&self, signature: &TextSignature, no_keywords: &TokenStream) -> Result<TokenStream> {
        let types = self.typed_params()?;
        self.check_count(signature, &types)?;
        let sig_static = self.signature_static(signature);
        let (prelude, sources) = if signature.positional_only() {
            let prelude = quote! {
                #no_keywords
                let args = unsafe { ::adder_runtime::args::tuple_slice(args) };
                SIG.check_positional(args.len())?;
            };
            (prelude, positional_sources(signature))
        } else {
            (
                bind(signature, &quote!(tuple), &quote!(args, kwargs)),
                bound_sources(signature),
            )
        };
        let (lets, names) = conversions(signature, &types, &sources)?;
        let (receiver, path) = (self.receiver_arg()?, &self.path);
        Ok(quote! { #sig_static #prelude #lets let result = #path(#receiver #(#names),*); })
    }

    /// The same from vectorcall arguments, for `tp_vectorcall`.
    pub fn vectorcall_body(&self, signature: &TextSignature) -> Result<TokenStream> {
        let types = self.typed_params()?;
        let sig_static = self.signature_static(signature);
        let (prelude, sources) = if signature.positional_only() {
            let prelude = quote! {
                SIG.no_kwnames(kwnames)?;
                let args = unsafe { ::adder_runtime::args::arg_slice(args, nargs) };
                SIG.check_positional(args.len())?;
            };
            (prelude, positional_sources(signature))
        } else {
            (
                bind(signature, &quote!(vectorcall), &quote!(args, nargs, kwnames)),
                bound_sources(signature),
            )
        };
        let (lets, names) = conversions(signature, &types, &sources)?;
        let (receiver, path) = (self.receiver_arg()?, &self.path);
        Ok(quote! { #sig_static #prelude #lets let result = #path(#receiver #(#names),*); })
    }
}

/// Where the value of a parameter comes from.
enum Source {
    /// An expression of type `&PyObject`.
    Required(TokenStream),
    /// An expression of type `Option<&PyObject>`.
    Optional(TokenStream),
    /// An expression handed over as it is.
    Ready(TokenStream),
}

/// After `let args: &[&PyObject]` and a check of their number.
fn positional_sources(signature: &TextSignature) -> Vec<Source> {
    let (n_pos, n_required) = (signature.n_positional(), signature.n_required_positional());
    (0..signature.params.len())
        .map(|idx| match signature.params[idx].kind {
            Kind::VarArgs => Source::Ready(quote!(::adder_runtime::args::rest(args, #n_pos))),
            _ if idx < n_required => Source::Required(quote!(args[#idx])),
            _ => Source::Optional(quote!(args.get(#idx).copied())),
        })
        .collect()
}

/// After `bind`: `slots`, and `rest` and `kwargs` if the signature has them.
fn bound_sources(signature: &TextSignature) -> Vec<Source> {
    let mut slot = 0usize;
    let mut sources = Vec::new();
    for param in &signature.params {
        sources.push(match param.kind {
            Kind::VarArgs => Source::Ready(quote!(rest)),
            Kind::VarKeywords => Source::Ready(quote!(kwargs)),
            _ => {
                slot += 1;
                let idx = slot - 1;
                if param.default.is_none() {
                    Source::Required(quote!(::adder_runtime::args::filled(slots[#idx])))
                } else {
                    Source::Optional(quote!(slots[#idx]))
                }
            }
        });
    }
    sources
}

/// Declares `slots` (and `rest`, `kwargs`) and binds the arguments to them.
fn bind(signature: &TextSignature, form: &TokenStream, args: &TokenStream) -> TokenStream {
    let n_slots = signature.slots().count();
    let variable = signature.has_varargs() || signature.has_varkw();
    let suffix = if variable { "_var" } else { "" };
    let binder = format_ident!("bind_{}{suffix}", form.to_string());
    let outputs = if variable {
        quote!(let (rest, kwargs) =)
    } else {
        quote!()
    };
    let unused = if variable {
        quote!(let _ = (rest, &kwargs);)
    } else {
        quote!()
    };
    quote! {
        let mut slots = [::core::option::Option::None; #n_slots];
        #outputs unsafe { SIG.#binder(#args, &mut slots) }?;
        #unused
    }
}

/// `let` statements that convert the arguments, and the names they have then.
fn conversions(
    signature: &TextSignature,
    types: &[&Type],
    sources: &[Source],
) -> Result<(TokenStream, Vec<TokenStream>)> {
    let mut lets = TokenStream::new();
    let mut names = Vec::new();
    let mut slot = 0usize;
    for ((param, ty), source) in signature.params.iter().zip(types).zip(sources) {
        let name = format_ident!("arg_{}", param.name);
        let span = ty.span();
        let value = match source {
            Source::Ready(ready) if param.kind == Kind::VarKeywords => {
                names.push(if contains_reference(ty) {
                    quote!(#name.as_deref())
                } else {
                    quote!(#name)
                });
                lets.extend(quote!(let #name = #ready;));
                continue;
            }
            Source::Ready(ready) => quote!(#ready),
            Source::Required(arg) => {
                quote_spanned!(span=> ::adder_runtime::args::FromArg::from_arg(#arg, &SIG, #slot)?)
            }
            Source::Optional(arg) => optional(param, ty, arg, slot)?,
        };
        if !param.is_var() {
            slot += 1;
        }
        lets.extend(quote!(let #name = #value;));
        names.push(quote!(#name));
    }
    Ok((lets, names))
}

fn optional(param: &Param, ty: &Type, arg: &TokenStream, slot: usize) -> Result<TokenStream> {
    let default = param.default.as_deref().unwrap_or_default();
    let span = ty.span();
    if is_option(ty) {
        let helper = if default == "None" {
            "optional_or_none"
        } else {
            "optional"
        };
        let helper = Ident::new(helper, span);
        return Ok(quote_spanned!(span=> ::adder_runtime::args::#helper(#arg, &SIG, #slot)?));
    }
    let literal = rust_literal(default).ok_or_else(|| {
        error(
            ty,
            format!(
                "the default {default:?} of '{}' is no literal, so the type must be Option<_>",
                param.name
            ),
        )
    })?;
    Ok(quote_spanned!(span=> match #arg {
        ::core::option::Option::Some(arg) => ::adder_runtime::args::FromArg::from_arg(arg, &SIG, #slot)?,
        ::core::option::Option::None => #literal,
    }))
}

/// A Python literal as Rust tokens, where they mean the same.
fn rust_literal(text: &str) -> Option<TokenStream> {
    match text {
        "True" => return Some(quote!(true)),
        "False" => return Some(quote!(false)),
        _ => {}
    }
    let plain = |quote: char| {
        let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
        (!inner.contains(['\\', quote])).then_some(inner)
    };
    if let Some(inner) = plain('\'').or_else(|| plain('"')) {
        return Some(quote!(#inner));
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.starts_with(|c: char| c.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

/// The type behind the receiver: `Self`, or what the first parameter refers to.
pub fn instance_type(sig: &Signature, self_ty: Option<&Type>) -> Result<TokenStream> {
    match sig.inputs.first() {
        Some(FnArg::Receiver(receiver)) => match self_ty {
            Some(ty) => Ok(quote!(#ty)),
            None => Err(error(receiver, "no `self` in a module")),
        },
        Some(FnArg::Typed(param)) => match &*param.ty {
            Type::Reference(reference) => {
                let ty = &reference.elem;
                if let (Type::Path(path), Some(self_ty)) = (&**ty, self_ty)
                    && path.path.is_ident("Self")
                {
                    return Ok(quote!(#self_ty));
                }
                Ok(quote!(#ty))
            }
            other => Err(error(
                other,
                "the receiver must be a reference, such as `&self` or `obj: &PyObject`",
            )),
        },
        None => Err(error(&sig.ident, "the first parameter must be the receiver")),
    }
}

pub fn is_option(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path
        .segments
        .last()
        .is_some_and(|segment| segment.ident == "Option")
}

fn last_segment_is(ty: &Type, name: &str) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path
        .segments
        .last()
        .is_some_and(|segment| segment.ident == name)
}

fn contains_reference(ty: &Type) -> bool {
    match ty {
        Type::Reference(_) => true,
        Type::Path(path) => path.path.segments.iter().any(|segment| match &segment.arguments {
            PathArguments::AngleBracketed(args) => args
                .args
                .iter()
                .any(|arg| matches!(arg, GenericArgument::Type(ty) if contains_reference(ty))),
            _ => false,
        }),
        _ => false,
    }
}

/// An error whose span would be empty is moved to a place that exists.
trait OrAt {
    fn or_at(self, span: Span) -> Error;
}

impl OrAt for Error {
    fn or_at(self, span: Span) -> Error {
        let empty = self.span().source_text().is_none_or(|text| text.is_empty());
        if empty {
            Error::new(span, self.to_string())
        } else {
            self
        }
    }
}
