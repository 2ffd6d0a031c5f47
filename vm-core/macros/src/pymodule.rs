//! `#[pymodule(name = "math")] pub mod math { .. }` -> the same module with a method table, a `PyModuleDef` whose
//! `Py_mod_exec` slot adds constants and types, and an entry for the table of built-in modules.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Ident, Item, ItemMod, LitStr, Path, Result, Token, bracketed};

use crate::attrs::{FnAttr, c_str, cfgs, doc_comment, error, python_name, take_attrs};
use crate::callable::{Callee, MethodRow, Receiver};
use crate::pytype::{plain, table_len};

#[derive(Default)]
struct ModuleArgs {
    name: Option<LitStr>,
    doc: Option<LitStr>,
    /// Statics of type objects, as seen from inside the module.
    types: Vec<Path>,
}

impl Parse for ModuleArgs {
    fn parse(input: ParseStream) -> Result<Self> {
        let mut args = Self::default();
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            match key.to_string().as_str() {
                "name" => args.name = Some(input.parse()?),
                "doc" => args.doc = Some(input.parse()?),
                "types" => {
                    let content;
                    bracketed!(content in input);
                    args.types = Punctuated::<Path, Token![,]>::parse_terminated(&content)?
                        .into_iter()
                        .collect();
                }
                other => return Err(Error::new(key.span(), format!("#[pymodule] knows no `{other}`"))),
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(args)
    }
}

#[derive(Default)]
struct Collected {
    methods: Vec<TokenStream>,
    method_cfgs: Vec<TokenStream>,
    /// Statements of the exec slot that add constants.
    consts: Vec<TokenStream>,
    exec: Option<Ident>,
}

const OURS: [&str; 3] = ["pyfunction", "pyconst", "pyexec"];

pub fn expand(args: TokenStream, mut item: ItemMod) -> Result<TokenStream> {
    let args: ModuleArgs = syn::parse2(args)?;
    let name = args
        .name
        .as_ref()
        .map_or_else(|| plain(&item.ident), LitStr::value);
    let doc = args
        .doc
        .as_ref()
        .map_or_else(|| doc_comment(&item.attrs), LitStr::value);
    let prefix = name.replace('.', "_");
    let Some((_, items)) = &mut item.content else {
        return Err(error(
            &item,
            "#[pymodule] needs the module inline: `mod name { .. }`",
        ));
    };
    let mut collected = Collected::default();
    let mut errors: Option<Error> = None;
    for member in items.iter_mut() {
        if let Err(error) = collected.add(member, &prefix) {
            match &mut errors {
                Some(all) => all.combine(error),
                None => errors = Some(error),
            }
        }
    }
    let generated = match errors {
        // The items stay, so that only our own errors are shown.
        Some(errors) => errors.into_compile_error(),
        None => collected.emit(&name, &doc, &args.types)?,
    };
    items.push(Item::Verbatim(generated));
    Ok(quote!(#item))
}

impl Collected {
    fn add(&mut self, item: &mut Item, prefix: &str) -> Result<()> {
        match item {
            Item::Fn(function) => {
                for (kind, attr) in take_attrs(&mut function.attrs, |name| OURS.contains(&name)) {
                    let cfg = cfgs(&function.attrs);
                    let rust_name = &function.sig.ident;
                    if kind == "pyexec" {
                        if self.exec.replace(rust_name.clone()).is_some() {
                            return Err(error(rust_name, "a second #[pyexec]"));
                        }
                        continue;
                    }
                    let attr = FnAttr::of(&attr)?;
                    let python_name = attr
                        .name
                        .as_ref()
                        .map_or_else(|| python_name(rust_name), LitStr::value);
                    if kind == "pyconst" {
                        attr.allow_flags(&[])?;
                        self.add_const(
                            &python_name,
                            &quote!(#rust_name()),
                            &cfg,
                            function.sig.output.span(),
                        );
                        continue;
                    }
                    attr.allow_flags(&["raw", "module"])?;
                    let receiver = if attr.has("module") {
                        Receiver::Module
                    } else {
                        Receiver::None
                    };
                    let callee = Callee {
                        path: quote!(#rust_name),
                        sig: &function.sig,
                        self_ty: None,
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
            Item::Const(constant) => {
                for (kind, attr) in take_attrs(&mut constant.attrs, |name| OURS.contains(&name)) {
                    if kind != "pyconst" {
                        return Err(error(&constant.ident, format!("#[{kind}] goes on a function")));
                    }
                    let attr = FnAttr::of(&attr)?;
                    attr.allow_flags(&[])?;
                    let rust_name = &constant.ident;
                    let name = attr
                        .name
                        .as_ref()
                        .map_or_else(|| python_name(rust_name), LitStr::value);
                    let cfg = cfgs(&constant.attrs);
                    constant
                        .attrs
                        .push(syn::parse_quote!(#[allow(non_upper_case_globals)]));
                    self.add_const(&name, &quote!(#rust_name), &cfg, constant.ty.span());
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn add_const(&mut self, name: &str, value: &TokenStream, cfg: &TokenStream, span: Span) {
        self.consts.push(quote_spanned! {span=>
            #cfg
            ::adder_runtime::module::add_object(module, #name, ::adder_runtime::args::IntoPy::into_py(#value)?)?;
        });
    }

    fn emit(&self, name: &str, doc: &str, types: &[Path]) -> Result<TokenStream> {
        let abi = quote!(::adder_runtime::abi);
        let allow = quote! {
            #[allow(non_upper_case_globals, non_snake_case, unused_unsafe, clippy::all, clippy::undocumented_unsafe_blocks)]
        };
        let methods = &self.methods;
        let methods_len = table_len(&self.method_cfgs, true);
        let consts = &self.consts;
        let exec = self
            .exec
            .as_ref()
            .map(|exec| quote!(::adder_runtime::args::Fallible::<()>::into_result(#exec(module))?;));
        let (name_c, short) = (
            c_str(name, Span::call_site())?,
            name.rsplit('.').next().unwrap_or(name),
        );
        let doc = if doc.is_empty() {
            quote!(::core::ptr::null())
        } else {
            let doc = c_str(doc, Span::call_site())?;
            quote!(#doc.as_ptr())
        };
        let init = format_ident!("PyInit_{short}");
        let exec_name = format_ident!("{short}_exec");
        Ok(quote! {
            #allow
            static METHODS: [#abi::PyMethodDef; #methods_len] = [#(#methods,)* #abi::PyMethodDef::zeroed()];

            #allow
            unsafe extern "C" fn #exec_name(module: *mut #abi::PyObject) -> ::core::ffi::c_int {
                ::adder_runtime::args::boundary_status(|| {
                    let module = unsafe { ::adder_runtime::args::borrow::<#abi::PyModuleObject>(module) };
                    #(#consts)*
                    #(::adder_runtime::module::add_type(module, &#types)?;)*
                    #exec
                    let _ = module;
                    ::core::result::Result::Ok(())
                })
            }

            #allow
            static SLOTS: [#abi::PyModuleDef_Slot; 2] = [
                #abi::PyModuleDef_Slot {
                    slot: ::core::cell::Cell::new(#abi::Py_mod_exec),
                    value: ::core::cell::Cell::new(#exec_name as *mut ::core::ffi::c_void),
                },
                #abi::PyModuleDef_Slot::zeroed(),
            ];

            /// The module's definition (multi-phase initialisation).
            #allow
            pub static DEF: ::adder_runtime::module::ModuleDef = #abi::PyModuleDef {
                m_methods: ::core::cell::Cell::new((&raw const METHODS).cast::<#abi::PyMethodDef>().cast_mut()),
                m_slots: ::core::cell::Cell::new((&raw const SLOTS).cast::<#abi::PyModuleDef_Slot>().cast_mut()),
                ..#abi::PyModuleDef::new(#name_c.as_ptr(), #doc, 0)
            };

            /// What C calls to initialise a built-in module: gives the definition.
            #allow
            pub unsafe extern "C" fn #init() -> *mut #abi::PyObject {
                ::adder_runtime::module::def_init(&DEF)
            }

            /// The module's row in the table of built-in modules.
            pub const INIT: (&str, unsafe extern "C" fn() -> *mut #abi::PyObject) = (#name, #init);
        })
    }
}
