//! declarations -> C tables: `#[pytype]`, `#[pymethods]` and `#[pymodule]` make type objects, method tables, argument
//! parsing and module definitions out of ordinary typed Rust functions. The manual is README.md beside this folder.
//!
//! The order of work: `attrs` reads the attributes, `text_signature` the Python signatures; `callable` and `slots`
//! write the C wrappers; `pytype` and `pymodule` put the tables together.

mod attrs;
mod callable;
mod pymodule;
mod pytype;
mod slots;
mod text_signature;

use proc_macro::TokenStream;
use syn::{ItemImpl, ItemMod, parse_macro_input};

/// Declares a Python type on `impl Struct { .. }`.
#[proc_macro_attribute]
pub fn pytype(args: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as ItemImpl);
    let fallback = quote_without_ours(&item);
    pytype::expand_type(args.into(), item)
        .unwrap_or_else(|error| with_error(fallback, &error))
        .into()
}

/// Declares further methods and getters of a type on another `impl Struct { .. }`.
#[proc_macro_attribute]
pub fn pymethods(args: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as ItemImpl);
    let fallback = quote_without_ours(&item);
    pytype::expand_part(args.into(), item)
        .unwrap_or_else(|error| with_error(fallback, &error))
        .into()
}

/// Declares a native module on `mod name { .. }`.
#[proc_macro_attribute]
pub fn pymodule(args: TokenStream, item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as ItemMod);
    pymodule::expand(args.into(), item)
        .unwrap_or_else(|error| error.into_compile_error())
        .into()
}

/// The impl block as it would be without us, so that an error here does not bring a hundred others.
fn quote_without_ours(item: &ItemImpl) -> proc_macro2::TokenStream {
    let mut item = item.clone();
    pytype::strip(&mut item);
    quote::quote!(#item)
}

fn with_error(item: proc_macro2::TokenStream, error: &syn::Error) -> proc_macro2::TokenStream {
    let error = error.to_compile_error();
    quote::quote!(#item #error)
}
