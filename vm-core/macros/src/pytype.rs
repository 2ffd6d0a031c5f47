//! `#[pytype(..)] impl X {..}` -> the same impl, a static type object, its method tables and its `TypeSpec`.
//! `#[pymethods(part = NAME)] impl X {..}` -> the same impl and further tables for `parts = [NAME]`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Error, Expr, ExprTuple, FnArg, Ident, ImplItem, ImplItemFn, ItemImpl, LitBool, LitStr, Path,
    Result, Token, Type, bracketed,
};

use crate::attrs::{FnAttr, c_str, cfgs, doc_comment, doc_with_signature, error, python_name, take_attrs};
use crate::callable::{Callee, MethodRow, Receiver, instance_type};
use crate::slots::{self, Filled, Group};
use crate::text_signature::TextSignature;

/// The arguments of `#[pytype(..)]`.
#[derive(Default)]
pub struct TypeArgs {
    name: Option<LitStr>,
    static_name: Option<Ident>,
    export: Option<bool>,
    typed: Option<bool>,
    base: Option<Path>,
    metatype: Option<Path>,
    flags: Vec<Ident>,
    /// Fields of the type object that take a plain expression: `itemsize`, `dictoffset`, ...
    fields: Vec<(Ident, Expr)>,
    members: Vec<ExprTuple>,
    parts: Vec<Path>,
    /// `slots = [tp_hash = some_c_function]`.
    raw_slots: Vec<(Ident, Expr)>,
    dealloc: Option<Ident>,
    doc: Option<LitStr>,
}

const FIELD_KEYS: [(&str, &str); 6] = [
    ("itemsize", "tp_itemsize"),
    ("basicsize", "tp_basicsize"),
    ("weaklistoffset", "tp_weaklistoffset"),
    ("dictoffset", "tp_dictoffset"),
    ("vectorcall_offset", "tp_vectorcall_offset"),
    ("version_tag", "tp_version_tag"),
];

impl Parse for TypeArgs {
    fn parse(input: ParseStream) -> Result<Self> {
        let mut args = Self::default();
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            args.parse_value(&key, input)?;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(args)
    }
}

impl TypeArgs {
    fn parse_value(&mut self, key: &Ident, input: ParseStream) -> Result<()> {
        match key.to_string().as_str() {
            "name" => self.name = Some(input.parse()?),
            "doc" => self.doc = Some(input.parse()?),
            "static_name" => self.static_name = Some(input.parse()?),
            "export" => self.export = Some(input.parse::<LitBool>()?.value),
            "typed" => self.typed = Some(input.parse::<LitBool>()?.value),
            "base" => self.base = Some(input.parse()?),
            "metatype" => self.metatype = Some(input.parse()?),
            "flags" => {
                self.flags = Punctuated::<Ident, Token![|]>::parse_separated_nonempty(input)?
                    .into_iter()
                    .collect()
            }
            "dealloc" => self.dealloc = Some(input.parse()?),
            "parts" => self.parts = list::<Path>(input)?,
            "members" => self.members = list::<ExprTuple>(input)?,
            "slots" => {
                self.raw_slots = list::<RawSlot>(input)?
                    .into_iter()
                    .map(|slot| (slot.name, slot.value))
                    .collect();
            }
            other => match FIELD_KEYS.iter().find(|(name, _)| *name == other) {
                Some((_, field)) => self.fields.push((Ident::new(field, key.span()), input.parse()?)),
                None => return Err(Error::new(key.span(), format!("#[pytype] knows no `{other}`"))),
            },
        }
        Ok(())
    }
}

struct RawSlot {
    name: Ident,
    value: Expr,
}

impl Parse for RawSlot {
    fn parse(input: ParseStream) -> Result<Self> {
        let name = input.parse()?;
        input.parse::<Token![=]>()?;
        Ok(Self {
            name,
            value: input.parse()?,
        })
    }
}

fn list<T: Parse>(input: ParseStream) -> Result<Vec<T>> {
    let content;
    bracketed!(content in input);
    Ok(Punctuated::<T, Token![,]>::parse_terminated(&content)?
        .into_iter()
        .collect())
}

/// What the attributes of an impl block's functions declare.
#[derive(Default)]
pub struct Collected {
    methods: Vec<TokenStream>,
    method_cfgs: Vec<TokenStream>,
    getsets: Vec<GetSet>,
    slots: Vec<Filled>,
    new: Option<Constructor>,
    init: Option<Constructor>,
}

struct GetSet {
    name: String,
    doc: String,
    cfg: TokenStream,
    get: Option<TokenStream>,
    set: Option<TokenStream>,
    span: Span,
}

struct Constructor {
    function: ImplItemFn,
    attr: FnAttr,
    signature: TextSignature,
}

const OURS: [&str; 8] = [
    "slot",
    "new",
    "init",
    "method",
    "classmethod",
    "staticmethod",
    "getter",
    "setter",
];

/// Takes our attributes off the functions of `item` and notes what they say.
fn collect(item: &mut ItemImpl, prefix: &str) -> Result<Collected> {
    let self_ty = (*item.self_ty).clone();
    let mut collected = Collected::default();
    let mut errors: Option<Error> = None;
    for member in &mut item.items {
        let ImplItem::Fn(function) = member else { continue };
        for (kind, attr) in take_attrs(&mut function.attrs, |name| OURS.contains(&name)) {
            if let Err(error) = collected.add(&kind, &attr, function, &self_ty, prefix) {
                match &mut errors {
                    Some(all) => all.combine(error),
                    None => errors = Some(error),
                }
            }
        }
    }
    errors.map_or(Ok(collected), Err)
}

impl Collected {
    fn add(
        &mut self,
        kind: &str,
        attr: &Attribute,
        function: &ImplItemFn,
        self_ty: &Type,
        prefix: &str,
    ) -> Result<()> {
        let cfg = cfgs(&function.attrs);
        match kind {
            "slot" => {
                let named = match &attr.meta {
                    syn::Meta::Path(_) => function.sig.ident.clone(),
                    _ => attr.parse_args::<Ident>()?,
                };
                self.slots
                    .push(slots::wrap(&named, &function.sig, self_ty, prefix, cfg)?);
            }
            "new" | "init" => {
                let attr = FnAttr::of(attr)?;
                attr.allow_flags(&["vectorcall", "raw"])?;
                let Some(signature) = attr.text_signature()? else {
                    return Err(error(
                        &function.sig.ident,
                        "a text signature is needed, such as \"(iterable=(), /)\"",
                    ));
                };
                let constructor = Constructor {
                    function: function.clone(),
                    attr,
                    signature,
                };
                if kind == "new" {
                    self.new = Some(constructor)
                } else {
                    self.init = Some(constructor)
                }
            }
            "getter" | "setter" => {
                self.add_getset(kind, &FnAttr::of(attr)?, function, self_ty, prefix, cfg)?
            }
            _ => {
                let attr = FnAttr::of(attr)?;
                attr.allow_flags(&["raw", "coexist", "defining_class"])?;
                let receiver = match kind {
                    "method" => Receiver::Instance,
                    "classmethod" => Receiver::Class,
                    _ => Receiver::None,
                };
                let rust_name = &function.sig.ident;
                let python_name = attr
                    .name
                    .as_ref()
                    .map_or_else(|| python_name(rust_name), LitStr::value);
                let callee = Callee {
                    path: quote!(<#self_ty>::#rust_name),
                    sig: &function.sig,
                    self_ty: Some(self_ty),
                    receiver,
                    python_name,
                    wrapper: format_ident!("{prefix}_{}", plain(rust_name)),
                };
                let doc = doc_comment(&function.attrs);
                self.methods.push(callee.method_def(&MethodRow {
                    attr,
                    doc,
                    cfg: cfg.clone(),
                })?);
                self.method_cfgs.push(cfg);
            }
        }
        Ok(())
    }

    fn add_getset(
        &mut self,
        kind: &str,
        attr: &FnAttr,
        function: &ImplItemFn,
        self_ty: &Type,
        prefix: &str,
        cfg: TokenStream,
    ) -> Result<()> {
        attr.allow_flags(&[])?;
        let rust_name = &function.sig.ident;
        let mut name = attr
            .name
            .as_ref()
            .map_or_else(|| python_name(rust_name), LitStr::value);
        if kind == "setter" && attr.name.is_none() {
            match name.strip_prefix("set_") {
                Some(rest) => name = rest.to_owned(),
                None => {
                    return Err(error(
                        rust_name,
                        "a setter is called `set_x`, or says `#[setter(name = \"x\")]`",
                    ));
                }
            }
        }
        let wants = if kind == "getter" { 1 } else { 2 };
        if function.sig.inputs.len() != wants {
            return Err(error(
                rust_name,
                format!("a {kind} has {wants} parameter(s), with the receiver"),
            ));
        }
        let wrapper = format_ident!("{prefix}_{}_{kind}", plain(rust_name));
        let ty = instance_type(&function.sig, Some(self_ty))?;
        let object = quote!(*mut ::adder_runtime::abi::PyObject);
        let args = quote!(::adder_runtime::args);
        let this = quote!(unsafe { #args::borrow::<#ty>(self_) });
        let closure = quote!(_: *mut ::core::ffi::c_void);
        let at = match self.getsets.iter().position(|row| row.name == name) {
            Some(at) => at,
            None => {
                let span = rust_name.span();
                self.getsets.push(GetSet {
                    name,
                    doc: String::new(),
                    cfg,
                    get: None,
                    set: None,
                    span,
                });
                self.getsets.len() - 1
            }
        };
        let row = &mut self.getsets[at];
        if kind == "getter" {
            row.doc = doc_comment(&function.attrs);
            row.get = Some(quote! {{
                unsafe extern "C" fn #wrapper(self_: #object, #closure) -> #object {
                    #args::boundary_obj(|| #args::IntoPy::into_py(<#self_ty>::#rust_name(#this)))
                }
                ::core::option::Option::Some(#wrapper)
            }});
            return Ok(());
        }
        // A setter without `Option` cannot delete; the runtime says so.
        let by_option =
            matches!(&function.sig.inputs[1], FnArg::Typed(param) if crate::callable::is_option(&param.ty));
        let value = if by_option {
            quote!(unsafe { #args::borrow_opt::<::adder_runtime::abi::PyObject>(value) })
        } else {
            let name = &row.name;
            quote!(#args::setter_value(unsafe { #args::borrow_opt(value) }, #name)?)
        };
        row.set = Some(quote! {{
            unsafe extern "C" fn #wrapper(self_: #object, value: #object, #closure) -> ::core::ffi::c_int {
                #args::boundary_status(|| #args::Fallible::<()>::into_result(<#self_ty>::#rust_name(#this, #value)))
            }
            ::core::option::Option::Some(#wrapper)
        }});
        Ok(())
    }

    /// `pub static NAME_METHODS` and `pub static NAME_GETSET`, each ended by a row of zeros if C is to read it.
    fn tables(&self, name: &str, cfg: &TokenStream, for_c: bool) -> Result<TokenStream> {
        let (methods_name, getset_name) = (format_ident!("{name}_METHODS"), format_ident!("{name}_GETSET"));
        let methods = &self.methods;
        let methods_len = table_len(&self.method_cfgs, for_c);
        let getset_cfgs: Vec<_> = self.getsets.iter().map(|row| row.cfg.clone()).collect();
        let getset_len = table_len(&getset_cfgs, for_c);
        let mut getsets = Vec::new();
        for row in &self.getsets {
            let (cfg, name) = (&row.cfg, c_str(&row.name, row.span)?);
            let none = quote!(::core::option::Option::None);
            let get = row.get.as_ref().unwrap_or(&none);
            let set = row.set.as_ref().unwrap_or(&none);
            let doc = if row.doc.is_empty() {
                quote!(::core::ptr::null())
            } else {
                let doc = c_str(&row.doc, row.span)?;
                quote!(#doc.as_ptr())
            };
            getsets.push(quote! {
                #cfg
                ::adder_runtime::abi::PyGetSetDef::new(#name.as_ptr(), #get, #set, #doc, ::core::ptr::null_mut())
            });
        }
        let method_end = for_c.then(|| quote!(::adder_runtime::abi::PyMethodDef::zeroed()));
        let getset_end = for_c.then(|| quote!(::adder_runtime::abi::PyGetSetDef::zeroed()));
        Ok(quote! {
            #cfg #[doc(hidden)] #[allow(non_upper_case_globals, unused_unsafe, clippy::all, clippy::undocumented_unsafe_blocks)]
            pub static #methods_name: [::adder_runtime::abi::PyMethodDef; #methods_len] =
                [#(#methods,)* #method_end];
            #cfg #[doc(hidden)] #[allow(non_upper_case_globals, unused_unsafe, clippy::all, clippy::undocumented_unsafe_blocks)]
            pub static #getset_name: [::adder_runtime::abi::PyGetSetDef; #getset_len] =
                [#(#getsets,)* #getset_end];
        })
    }
}

/// The length of a table, with its end row if it has one, counting only the rows that `#[cfg]` leaves.
pub fn table_len(cfgs: &[TokenStream], with_end: bool) -> TokenStream {
    let units = cfgs.iter().map(|cfg| quote!(#cfg ()));
    let end = with_end.then(|| quote!(()));
    quote!({
        const ROWS: &[()] = &[#(#units,)* #end];
        ROWS.len()
    })
}

pub fn plain(ident: &Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").unwrap_or(&name).to_owned()
}

/// A type's simple name without the wrapping of a macro's `$ty` fragment.
fn type_name(ty: &Type) -> Result<String> {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|s| s.ident.to_string()),
        Type::Group(group) => return type_name(&group.elem),
        _ => None,
    }
    .ok_or_else(|| error(ty, "expected the name of a struct"))
}

fn check_impl(item: &ItemImpl) -> Result<()> {
    if let Some((path, _)) = &item.trait_ {
        return Err(error(path, "expected an inherent `impl Struct`, not a trait's"));
    }
    if !item.generics.params.is_empty() {
        return Err(error(&item.generics, "a Python type has one layout: no generics"));
    }
    Ok(())
}

/// `#[pymethods(part = NAME)]`.
pub fn expand_part(args: TokenStream, mut item: ItemImpl) -> Result<TokenStream> {
    struct Part(Ident);
    impl Parse for Part {
        fn parse(input: ParseStream) -> Result<Self> {
            let key: Ident = input.parse()?;
            if key != "part" {
                return Err(Error::new(key.span(), "expected `part = NAME`"));
            }
            input.parse::<Token![=]>()?;
            Ok(Self(input.parse()?))
        }
    }
    let Part(part) = syn::parse2(args)?;
    check_impl(&item)?;
    allow_python_shapes(&mut item);
    let collected = collect(&mut item, &part.to_string().to_lowercase())?;
    if let Some(slot) = collected.slots.first() {
        return Err(error(
            &slot.name,
            "slots belong in the #[pytype] block: a part has methods and getters",
        ));
    }
    if let Some(constructor) = collected.new.as_ref().or(collected.init.as_ref()) {
        return Err(error(
            &constructor.function.sig.ident,
            "constructors belong in the #[pytype] block",
        ));
    }
    let tables = collected.tables(&part.to_string(), &cfgs(&item.attrs), false)?;
    Ok(quote!(#item #tables))
}

/// The lints that Python's shapes would set off: a `new` that gives any object, long parameter lists.
fn allow_python_shapes(item: &mut ItemImpl) {
    item.attrs.push(syn::parse_quote!(#[allow(
        clippy::new_ret_no_self,
        clippy::should_implement_trait,
        clippy::too_many_arguments,
        clippy::wrong_self_convention
    )]));
}

/// `#[pytype(..)]`.
pub fn expand_type(args: TokenStream, mut item: ItemImpl) -> Result<TokenStream> {
    let args: TypeArgs = syn::parse2(args)?;
    check_impl(&item)?;
    allow_python_shapes(&mut item);
    let Some(name) = &args.name else {
        return Err(Error::new(Span::call_site(), "#[pytype] needs `name = \"...\"`"));
    };
    let full_name = name.value();
    let short_name = full_name.rsplit('.').next().unwrap_or_default().to_owned();
    let self_ty = (*item.self_ty).clone();
    let static_name = args.static_name.clone().unwrap_or_else(|| {
        Ident::new(
            &format!("{}_TYPE", identifier_of(&short_name).to_uppercase()),
            name.span(),
        )
    });
    let mut collected = collect(&mut item, &identifier_of(&short_name))?;
    let doc = args
        .doc
        .as_ref()
        .map_or_else(|| doc_comment(&item.attrs), LitStr::value);
    let cfg = cfgs(&item.attrs);
    let builder = Builder {
        args: &args,
        self_ty: &self_ty,
        static_name: &static_name,
        full_name: &full_name,
        short_name: &short_name,
        doc,
        cfg,
    };
    let constructors = builder.constructors(&mut collected)?;
    let statics = builder.emit(&collected, constructors)?;
    Ok(quote!(#item #statics))
}

struct Builder<'a> {
    args: &'a TypeArgs,
    self_ty: &'a Type,
    static_name: &'a Ident,
    full_name: &'a str,
    short_name: &'a str,
    doc: String,
    cfg: TokenStream,
}

impl Builder<'_> {
    /// Adds `tp_new`, `tp_init` and `tp_vectorcall` to the slots; returns the signature for the docstring.
    fn constructors(&self, collected: &mut Collected) -> Result<Option<TextSignature>> {
        let mut shown = None;
        for (is_init, constructor) in [(true, &collected.init), (false, &collected.new)] {
            let Some(constructor) = constructor else { continue };
            collected.slots.push(self.constructor(constructor, is_init)?);
            shown = Some(constructor.signature.clone());
        }
        if let (Some(new), Some(init)) = (&collected.new, &collected.init)
            && new.signature.params.is_empty() | new.signature.has_varargs()
        {
            shown = Some(init.signature.clone());
        }
        let fast = [&collected.new, &collected.init];
        if fast
            .iter()
            .any(|c| c.as_ref().is_some_and(|c| c.attr.has("vectorcall")))
        {
            let slot = self.vectorcall(collected.new.as_ref(), collected.init.as_ref())?;
            collected.slots.push(slot);
        }
        Ok(shown)
    }

    fn callee<'c>(&'c self, constructor: &'c Constructor, is_init: bool, wrapper: Ident) -> Callee<'c> {
        let function = &constructor.function.sig.ident;
        let self_ty = self.self_ty;
        Callee {
            path: quote!(<#self_ty>::#function),
            sig: &constructor.function.sig,
            self_ty: Some(self_ty),
            receiver: if is_init {
                Receiver::Instance
            } else {
                Receiver::Class
            },
            python_name: self.short_name.to_owned(),
            wrapper,
        }
    }

    fn constructor(&self, constructor: &Constructor, is_init: bool) -> Result<Filled> {
        let slot = if is_init { "tp_init" } else { "tp_new" };
        if constructor.attr.has("raw") {
            let function = &constructor.function;
            let name = Ident::new(slot, function.sig.ident.span());
            return slots::wrap(
                &name,
                &function.sig,
                self.self_ty,
                self.short_name,
                cfgs(&function.attrs),
            );
        }
        let wrapper = format_ident!("{}_{slot}", identifier_of(self.short_name));
        let callee = self.callee(constructor, is_init, wrapper.clone());
        let (object, static_name) = (quote!(*mut ::adder_runtime::abi::PyObject), self.static_name);
        let check = format_ident!("{}_without_keywords", if is_init { "init" } else { "new" });
        let no_keywords = quote! {
            unsafe { ::adder_runtime::args::#check(self_, &#static_name, kwargs, &SIG) }?;
        };
        let body = callee.tuple_body(&constructor.signature, &no_keywords)?;
        let function = if is_init {
            quote! {
                unsafe extern "C" fn #wrapper(self_: #object, args: #object, kwargs: #object) -> ::core::ffi::c_int {
                    ::adder_runtime::args::boundary_status(|| {
                        #body
                        ::adder_runtime::args::Fallible::<()>::into_result(result)
                    })
                }
            }
        } else {
            quote! {
                unsafe extern "C" fn #wrapper(
                    cls: *mut ::adder_runtime::abi::PyTypeObject, args: #object, kwargs: #object,
                ) -> #object {
                    ::adder_runtime::args::boundary_obj(|| {
                        let self_ = cls.cast::<::adder_runtime::abi::PyObject>();
                        #body
                        ::adder_runtime::args::IntoPy::into_py(result)
                    })
                }
            }
        };
        let name = Ident::new(slot, constructor.function.sig.ident.span());
        let cfg = cfgs(&constructor.function.attrs);
        Ok(Filled {
            name,
            group: Group::Type,
            cfg,
            value: quote!({ #function #wrapper }),
        })
    }

    /// `tp_vectorcall`: what `type.__call__` does, without making the tuple and the dict.
    fn vectorcall(&self, new: Option<&Constructor>, init: Option<&Constructor>) -> Result<Filled> {
        let wrapper = format_ident!("{}_tp_vectorcall", identifier_of(self.short_name));
        let object = quote!(*mut ::adder_runtime::abi::PyObject);
        let part = |constructor: Option<&Constructor>, is_init: bool| -> Result<Option<TokenStream>> {
            let Some(constructor) = constructor else {
                return Ok(None);
            };
            let callee = self.callee(constructor, is_init, wrapper.clone());
            callee.vectorcall_body(&constructor.signature).map(Some)
        };
        let Some(new) = part(new, false)? else {
            let init = init.map_or_else(Span::call_site, |init| init.function.sig.ident.span());
            return Err(Error::new(init, "the flag `vectorcall` needs a #[new]"));
        };
        let init = part(init, true)?.map(|body| {
            quote! {
                {
                    let self_ = instance.as_raw();
                    #body
                    ::adder_runtime::args::Fallible::<()>::into_result(result)?;
                }
            }
        });
        let value = quote! {{
            unsafe extern "C" fn #wrapper(
                self_: #object, args: *const #object, nargsf: usize, kwnames: #object,
            ) -> #object {
                ::adder_runtime::args::boundary_obj(|| {
                    let nargs = ::adder_runtime::abi::PyVectorcall_NARGS(nargsf) as isize;
                    let instance = { #new ::adder_runtime::args::IntoPy::into_py(result)? };
                    #init
                    ::core::result::Result::Ok(instance)
                })
            }
            #wrapper
        }};
        let name = Ident::new("tp_vectorcall", Span::call_site());
        Ok(Filled {
            name,
            group: Group::Type,
            cfg: TokenStream::new(),
            value,
        })
    }

    /// The slots that are C functions already: `slots = [..]` and the default destructor.
    fn ready_slots(&self, collected: &Collected) -> Result<Vec<Filled>> {
        let mut ready = Vec::new();
        for (name, value) in &self.args.raw_slots {
            let Some(group) = slots::group_of(&name.to_string()) else {
                return Err(error(name, "this is not a slot that #[pytype] knows"));
            };
            let value = value.to_token_stream();
            ready.push(Filled {
                name: name.clone(),
                group,
                cfg: TokenStream::new(),
                value,
            });
        }
        let has_dealloc = collected
            .slots
            .iter()
            .chain(&ready)
            .any(|slot| slot.name == "tp_dealloc");
        let by_default = {
            let name = type_name(self.self_ty)?;
            if name.starts_with("Py") && name.ends_with("Object") {
                "inherit"
            } else {
                "payload"
            }
        };
        let how = self
            .args
            .dealloc
            .as_ref()
            .map_or(by_default.to_owned(), Ident::to_string);
        match how.as_str() {
            _ if has_dealloc => {}
            "inherit" => {}
            "payload" => {
                let self_ty = self.self_ty;
                ready.push(Filled {
                    name: Ident::new("tp_dealloc", Span::call_site()),
                    group: Group::Type,
                    cfg: TokenStream::new(),
                    value: quote!(::adder_runtime::types::dealloc_payload::<#self_ty>),
                });
            }
            _ => return Err(error(&self.args.dealloc, "`dealloc` is `payload` or `inherit`")),
        }
        // Without a `tp_new` a static type directly below `object` could not be instantiated.
        let filled = |name: &str| collected.slots.iter().chain(&ready).any(|slot| slot.name == name);
        if self.args.base.is_none() && filled("tp_init") && !filled("tp_new") {
            ready.push(Filled {
                name: Ident::new("tp_new", Span::call_site()),
                group: Group::Type,
                cfg: TokenStream::new(),
                value: quote!(::adder_runtime::args::generic_new),
            });
        }
        Ok(ready)
    }

    fn members(&self) -> Result<(TokenStream, usize)> {
        let mut rows = TokenStream::new();
        for member in &self.args.members {
            let parts: Vec<_> = member.elems.iter().collect();
            let (name, kind, offset, flags, doc) = match parts[..] {
                [name, kind, offset, flags] => (name, kind, offset, flags, None),
                [name, kind, offset, flags, doc] => (name, kind, offset, flags, Some(doc)),
                _ => {
                    return Err(error(
                        member,
                        "a member is (\"name\", type, offset, flags) or has a docstring too",
                    ));
                }
            };
            let text = |expr: &Expr| match expr {
                Expr::Lit(syn::ExprLit {
                    lit: syn::Lit::Str(text),
                    ..
                }) => c_str(&text.value(), text.span()),
                other => Err(error(other, "expected a string")),
            };
            let name = text(name)?;
            let doc = match doc {
                Some(doc) => {
                    let doc = text(doc)?;
                    quote!(#doc.as_ptr())
                }
                None => quote!(::core::ptr::null()),
            };
            rows.extend(quote! {
                ::adder_runtime::abi::PyMemberDef::new(#name.as_ptr(), #kind, (#offset) as isize, #flags, #doc),
            });
        }
        Ok((rows, self.args.members.len() + 1))
    }

    /// `FAMILY` of a type that begins a family of built-in types: it declares the family's flag, and derives from no other type.
    fn family(&self) -> Option<TokenStream> {
        let is_family = |flag: &&Ident| flag.to_string().ends_with("_SUBCLASS");
        let flag = self.args.flags.iter().find(is_family)?;
        let name = format_ident!("Py_TPFLAGS_{flag}");
        self.args
            .base
            .is_none()
            .then(|| quote!(const FAMILY: ::core::ffi::c_ulong = ::adder_runtime::abi::#name;))
    }

    fn flags(&self) -> TokenStream {
        let abi = quote!(::adder_runtime::abi);
        let mut flags = quote!(#abi::Py_TPFLAGS_DEFAULT | #abi::Py_TPFLAGS_IMMUTABLETYPE);
        for flag in &self.args.flags {
            let name = match flag.to_string().as_str() {
                "MATCH_SELF" => "_Py_TPFLAGS_MATCH_SELF".to_owned(),
                "STATIC_BUILTIN" => "_Py_TPFLAGS_STATIC_BUILTIN".to_owned(),
                other => format!("Py_TPFLAGS_{other}"),
            };
            let name = Ident::new(&name, flag.span());
            flags.extend(quote!(| #abi::#name));
        }
        flags
    }

    /// `field: Cell::new(value),` for each slot of a group.
    fn fields(slots: &[&Filled], group: Group) -> TokenStream {
        let mut fields = TokenStream::new();
        for slot in slots.iter().filter(|slot| slot.group == group) {
            let Filled { name, cfg, value, .. } = slot;
            fields.extend(quote! {
                #cfg #name: ::core::cell::Cell::new(::core::option::Option::Some(#value)),
            });
        }
        fields
    }

    fn emit(&self, collected: &Collected, shown: Option<TextSignature>) -> Result<TokenStream> {
        let ready = self.ready_slots(collected)?;
        let slots: Vec<&Filled> = collected.slots.iter().chain(&ready).collect();
        for (at, slot) in slots.iter().enumerate() {
            let twice = slots[..at].iter().any(|other| other.name == slot.name);
            if twice && slot.cfg.is_empty() {
                return Err(error(&slot.name, format!("slot `{}` is filled twice", slot.name)));
            }
        }
        let Self {
            static_name,
            self_ty,
            cfg,
            ..
        } = self;
        let abi = quote!(::adder_runtime::abi);
        let allow = quote!(#[allow(non_upper_case_globals, unused_unsafe, clippy::all, clippy::undocumented_unsafe_blocks)]);
        let tables = collected.tables(&static_name.to_string(), cfg, true)?;
        let (methods_name, getset_name) = (
            format_ident!("{static_name}_METHODS"),
            format_ident!("{static_name}_GETSET"),
        );
        let (members, members_len) = self.members()?;
        let (mut sub_statics, mut sub_fields) = (TokenStream::new(), TokenStream::new());
        for group in Group::SUB_STRUCTS {
            let fields = Self::fields(&slots, group);
            if fields.is_empty() {
                continue;
            }
            let (field, name) = group.field_and_struct();
            let table = format_ident!("{}", field.to_string().to_uppercase());
            sub_statics.extend(quote! {
                static #table: #abi::#name = #abi::#name { #fields ..#abi::#name::zeroed() };
            });
            sub_fields.extend(quote!(#field: ::core::cell::Cell::new((&raw const #table).cast_mut()),));
        }
        let type_fields = Self::fields(&slots, Group::Type);
        let mut plain_fields = TokenStream::new();
        let has_basicsize = self.args.fields.iter().any(|(field, _)| field == "tp_basicsize");
        if !has_basicsize {
            plain_fields.extend(
                quote!(tp_basicsize: ::core::cell::Cell::new(::core::mem::size_of::<#self_ty>() as isize),),
            );
        }
        for (field, value) in &self.args.fields {
            plain_fields.extend(quote!(#field: ::core::cell::Cell::new((#value) as _),));
        }
        let full_name = c_str(self.full_name, static_name.span())?;
        let doc_text = doc_with_signature(self.short_name, shown.as_ref(), &self.doc);
        let doc = if doc_text.is_empty() {
            quote!(::core::ptr::null())
        } else {
            let doc = c_str(&doc_text, static_name.span())?;
            quote!(#doc.as_ptr())
        };
        let base = match &self.args.base {
            Some(base) if base.is_ident("None") => quote!(::core::ptr::null_mut()),
            Some(base) => quote!((&raw const #base).cast_mut()),
            None => quote!((&raw const ::adder_runtime::PyBaseObject_Type).cast_mut()),
        };
        let metatype = self
            .args
            .metatype
            .as_ref()
            .map_or(quote!(::adder_runtime::PyType_Type), ToTokens::to_token_stream);
        let export = self.args.export.unwrap_or_else(|| {
            let name = static_name.to_string();
            name.trim_start_matches('_').starts_with("Py") && name.ends_with("_Type")
        });
        let no_mangle = export.then(|| quote!(#[unsafe(no_mangle)]));
        let flags = self.flags();
        let spec_name = format_ident!("{static_name}_SPEC");
        let part_tables = |suffix: &str| -> Vec<Path> {
            let with_suffix = |part: &Path| {
                let mut path = part.clone();
                if let Some(last) = path.segments.last_mut() {
                    last.ident = format_ident!("{}_{suffix}", last.ident);
                }
                path
            };
            self.args.parts.iter().map(with_suffix).collect()
        };
        let (part_methods, part_getsets) = (part_tables("METHODS"), part_tables("GETSET"));
        let short_doc = format!("The type object of Python's `{}`.", self.full_name);
        let family = self.family();
        let typed = self.args.typed.unwrap_or(true).then(|| {
            quote! {
                #cfg
                // SAFETY: the struct begins with the object header and its instances are made by this type.
                unsafe impl ::adder_runtime::TypedObject for #self_ty {
                    #family
                    #[inline(always)]
                    fn type_object() -> &'static #abi::PyTypeObject { &#static_name }
                }
            }
        });
        Ok(quote! {
            #tables
            #cfg #[doc = #short_doc] #no_mangle #allow
            pub static #static_name: #abi::PyTypeObject = {
                #sub_statics
                static MEMBERS: [#abi::PyMemberDef; #members_len] = [#members #abi::PyMemberDef::zeroed()];
                #abi::PyTypeObject {
                    ob_base: #abi::PyVarObject::immortal((&raw const #metatype).cast_mut(), 0),
                    tp_name: ::core::cell::Cell::new(#full_name.as_ptr()),
                    tp_doc: ::core::cell::Cell::new(#doc),
                    tp_flags: ::core::cell::Cell::new(#flags),
                    tp_base: ::core::cell::Cell::new(#base),
                    tp_methods: ::core::cell::Cell::new((&raw const #methods_name).cast::<#abi::PyMethodDef>().cast_mut()),
                    tp_getset: ::core::cell::Cell::new((&raw const #getset_name).cast::<#abi::PyGetSetDef>().cast_mut()),
                    tp_members: ::core::cell::Cell::new((&raw const MEMBERS).cast::<#abi::PyMemberDef>().cast_mut()),
                    #plain_fields
                    #sub_fields
                    #type_fields
                    ..#abi::PyTypeObject::zeroed()
                }
            };
            #cfg #[doc(hidden)] #allow
            pub static #spec_name: ::adder_runtime::types::TypeSpec = ::adder_runtime::types::TypeSpec {
                ty: &#static_name,
                methods: &[#(&#part_methods),*],
                getsets: &[#(&#part_getsets),*],
                members: &[],
            };
            #cfg
            const _: () = {
                extern "C" fn register() {
                    ::adder_runtime::types::registry::register(&#spec_name);
                }
                // Runs before `main`, so that the runtime knows all static types without a list of them.
                #[used]
                #[unsafe(link_section = ".init_array")]
                static REGISTER: extern "C" fn() = register;
            };
            #typed
        })
    }
}

/// Takes our attributes off without looking at them.
pub fn strip(item: &mut ItemImpl) {
    for member in &mut item.items {
        if let ImplItem::Fn(function) = member {
            take_attrs(&mut function.attrs, |name| OURS.contains(&name));
        }
    }
}

/// A type's name as part of a Rust identifier: `method-wrapper` has a dash.
fn identifier_of(name: &str) -> String {
    name.replace(|c: char| !c.is_alphanumeric(), "_")
}
