//! slot name -> its sub-struct, its C signature and the conversion between C and Rust: the one slot table.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::spanned::Spanned;
use syn::{FnArg, Ident, Result, Signature, Type};

use crate::attrs::{error, respan};
use crate::callable::instance_type;

/// Where a slot lives in the type object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    Type,
    Number,
    Sequence,
    Mapping,
    Async,
    Buffer,
}

impl Group {
    pub const SUB_STRUCTS: [Group; 5] = [
        Group::Number,
        Group::Sequence,
        Group::Mapping,
        Group::Async,
        Group::Buffer,
    ];

    /// The field of `PyTypeObject` and the name of the sub-struct.
    pub fn field_and_struct(self) -> (Ident, Ident) {
        let (field, name) = match self {
            Group::Type => ("", "PyTypeObject"),
            Group::Number => ("tp_as_number", "PyNumberMethods"),
            Group::Sequence => ("tp_as_sequence", "PySequenceMethods"),
            Group::Mapping => ("tp_as_mapping", "PyMappingMethods"),
            Group::Async => ("tp_as_async", "PyAsyncMethods"),
            Group::Buffer => ("tp_as_buffer", "PyBufferProcs"),
        };
        let field = if field.is_empty() {
            format_ident!("_")
        } else {
            format_ident!("{field}")
        };
        (field, format_ident!("{name}"))
    }
}

/// One C argument (two for `Visit`) and how it reaches the Rust function.
#[derive(Clone, Copy, Debug)]
enum Arg {
    /// The first operand: `&self`, or `&PyObject`.
    This,
    /// `*mut Self`, for the destructor.
    RawThis,
    Obj,
    OptObj,
    Cls,
    Tuple,
    OptDict,
    Ssize,
    Int,
    CompareOp,
    Visit,
    Buffer,
    /// `args` and `nargsf` of vectorcall: a slice.
    Vector,
    OptTuple,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ret {
    /// `impl IntoPy` -> new reference or NULL.
    Obj,
    /// `PyResult<Option<Ref>>`; `None` is NULL without an exception.
    IterNext,
    /// `PyResult<()>` -> 0 or -1.
    Status,
    Bool,
    Len,
    Hash,
    /// `c_int` as it is; nothing can be raised.
    RawInt,
    /// `()`; an `Err` is reported as unraisable.
    Void,
    /// As it is: `unsafe fn` with raw pointers.
    Raw,
    /// `PyResult<SendResult>`, through a result pointer.
    Send,
}

struct Row {
    name: &'static str,
    group: Group,
    args: &'static [Arg],
    ret: Ret,
}

macro_rules! rows {
    ($($group:ident: $($name:ident)+ => $args:tt $ret:ident;)+) => {
        &[$($(Row { name: stringify!($name), group: Group::$group, args: rows!(@ $args), ret: Ret::$ret },)+)+]
    };
    (@ [$($arg:ident),*]) => { &[$(Arg::$arg),*] };
}

#[rustfmt::skip]
const SLOTS: &[Row] = rows! {
    Type: tp_repr tp_str tp_iter => [This] Obj;
    Type: tp_iternext => [This] IterNext;
    Type: tp_hash => [This] Hash;
    Type: tp_call => [This, Tuple, OptDict] Obj;
    Type: tp_getattro => [This, Obj] Obj;
    Type: tp_setattro => [This, Obj, OptObj] Status;
    Type: tp_richcompare => [This, Obj, CompareOp] Obj;
    Type: tp_descr_get => [This, OptObj, OptObj] Obj;
    Type: tp_descr_set => [This, Obj, OptObj] Status;
    Type: tp_init => [This, Tuple, OptDict] Status;
    Type: tp_new => [Cls, Tuple, OptDict] Obj;
    Type: tp_vectorcall => [Cls, Vector, OptTuple] Obj;
    Type: tp_traverse => [This, Visit] RawInt;
    Type: tp_clear => [This] Status;
    Type: tp_is_gc => [This] RawInt;
    Type: tp_finalize tp_del => [This] Void;
    Type: tp_dealloc => [RawThis] Raw;
    Type: tp_alloc tp_free => [] Raw;
    Number: nb_negative nb_positive nb_absolute nb_invert nb_int nb_float nb_index => [This] Obj;
    Number: nb_bool => [This] Bool;
    Number: nb_add nb_subtract nb_multiply nb_remainder nb_divmod nb_lshift nb_rshift nb_and nb_xor nb_or
        nb_floor_divide nb_true_divide nb_matrix_multiply => [This, Obj] Obj;
    Number: nb_inplace_add nb_inplace_subtract nb_inplace_multiply nb_inplace_remainder nb_inplace_lshift
        nb_inplace_rshift nb_inplace_and nb_inplace_xor nb_inplace_or nb_inplace_floor_divide
        nb_inplace_true_divide nb_inplace_matrix_multiply => [This, Obj] Obj;
    Number: nb_power nb_inplace_power => [This, Obj, Obj] Obj;
    Sequence: sq_length => [This] Len;
    Sequence: sq_concat sq_inplace_concat => [This, Obj] Obj;
    Sequence: sq_item sq_repeat sq_inplace_repeat => [This, Ssize] Obj;
    Sequence: sq_ass_item => [This, Ssize, OptObj] Status;
    Sequence: sq_contains => [This, Obj] Bool;
    Mapping: mp_length => [This] Len;
    Mapping: mp_subscript => [This, Obj] Obj;
    Mapping: mp_ass_subscript => [This, Obj, OptObj] Status;
    Async: am_await am_aiter am_anext => [This] Obj;
    Async: am_send => [This, Obj] Send;
    Buffer: bf_getbuffer => [This, Buffer, Int] Status;
    Buffer: bf_releasebuffer => [This, Buffer] Void;
};

/// The slots where either operand may be of the type, so that `&self` would be wrong.
fn is_symmetric(name: &str) -> bool {
    name.starts_with("nb_")
        && !name.starts_with("nb_inplace_")
        && SLOTS.iter().any(|row| row.name == name && row.args.len() > 1)
}

/// Which sub-struct a slot belongs to, if there is such a slot.
pub fn group_of(name: &str) -> Option<Group> {
    SLOTS.iter().find(|row| row.name == name).map(|row| row.group)
}

/// A slot that is filled in: `value` is an expression for the C function.
pub struct Filled {
    pub name: Ident,
    pub group: Group,
    pub cfg: TokenStream,
    pub value: TokenStream,
}

/// Builds the wrapper of slot `name` around the Rust function `sig` of `self_ty`.
pub fn wrap(name: &Ident, sig: &Signature, self_ty: &Type, prefix: &str, cfg: TokenStream) -> Result<Filled> {
    let name_text = name.to_string();
    let Some(row) = SLOTS.iter().find(|row| row.name == name_text) else {
        return Err(error(
            name,
            format!("`{name_text}` is not a slot that #[slot] knows"),
        ));
    };
    let function = &sig.ident;
    if row.ret == Ret::Raw {
        let value = raw(row, function, sig, self_ty, prefix)?;
        return Ok(Filled {
            name: name.clone(),
            group: row.group,
            cfg,
            value,
        });
    }
    if sig.inputs.len() != row.args.len() {
        let message = format!(
            "slot `{name_text}` takes {} parameter(s), with the receiver",
            row.args.len()
        );
        return Err(error(function, message));
    }
    if is_symmetric(&name_text) && matches!(sig.inputs.first(), Some(FnArg::Receiver(_))) {
        let message = "either operand may be of this type: write `a: &PyObject, b: &PyObject`";
        return Err(error(&sig.inputs[0], message));
    }
    let mut c_params = TokenStream::new();
    let mut values = Vec::new();
    for (idx, arg) in row.args.iter().enumerate() {
        let (param, value) = convert(*arg, idx, sig, self_ty)?;
        c_params.extend(param);
        let span = match &sig.inputs[idx] {
            FnArg::Typed(param) => param.ty.span(),
            FnArg::Receiver(receiver) => receiver.self_token.span(),
        };
        values.push(respan(value, span));
    }
    let call = respan(quote!(<#self_ty>::#function), function.span());
    let call = quote!(#call(#(#values),*));
    let wrapper = format_ident!("{prefix}_{name_text}");
    let value = wrapper_fn(row.ret, &wrapper, &c_params, &call, function.span());
    Ok(Filled {
        name: name.clone(),
        group: row.group,
        cfg,
        value,
    })
}

/// The C parameters (with trailing commas) and the Rust argument made of them.
fn convert(arg: Arg, idx: usize, sig: &Signature, self_ty: &Type) -> Result<(TokenStream, TokenStream)> {
    let name = format_ident!("a{idx}");
    let abi = quote!(::adder_runtime::abi);
    let object = quote!(#name: *mut ::adder_runtime::abi::PyObject,);
    let borrow = |ty: TokenStream| quote!(unsafe { ::adder_runtime::args::borrow::<#ty>(#name) });
    let borrow_opt = |ty: TokenStream| quote!(unsafe { ::adder_runtime::args::borrow_opt::<#ty>(#name) });
    Ok(match arg {
        Arg::This => (object, borrow(instance_type(sig, Some(self_ty))?)),
        Arg::RawThis => (object, quote!(#name.cast::<#self_ty>())),
        Arg::Obj => (object, borrow(quote!(#abi::PyObject))),
        Arg::OptObj => (object, borrow_opt(quote!(#abi::PyObject))),
        Arg::Tuple => (object, borrow(quote!(#abi::PyTupleObject))),
        Arg::OptTuple => (object, borrow_opt(quote!(#abi::PyTupleObject))),
        Arg::OptDict => (object, borrow_opt(quote!(#abi::PyDictObject))),
        Arg::Cls if sig.ident == "tp_vectorcall" => (object, borrow(quote!(#abi::PyTypeObject))),
        Arg::Cls => (
            quote!(#name: *mut #abi::PyTypeObject,),
            quote!(unsafe { &*#name }),
        ),
        Arg::Ssize => (quote!(#name: isize,), quote!(#name)),
        Arg::Int => (quote!(#name: ::core::ffi::c_int,), quote!(#name)),
        Arg::CompareOp => (
            quote!(#name: ::core::ffi::c_int,),
            quote!(::adder_runtime::args::compare_op(#name)?),
        ),
        Arg::Buffer => (quote!(#name: *mut #abi::Py_buffer,), quote!(#name)),
        Arg::Visit => {
            let params = quote! {
                visit: #abi::visitproc, arg: *mut ::core::ffi::c_void,
            };
            (params, quote!(&::adder_runtime::args::visitor(visit, arg)))
        }
        Arg::Vector => {
            let params = quote!(#name: *const *mut #abi::PyObject, nargsf: usize,);
            (
                params,
                quote!(unsafe { ::adder_runtime::args::vector_slice(#name, nargsf) }),
            )
        }
    })
}

fn wrapper_fn(
    ret: Ret,
    wrapper: &Ident,
    params: &TokenStream,
    call: &TokenStream,
    span: Span,
) -> TokenStream {
    let abi = quote!(::adder_runtime::abi);
    let args = quote!(::adder_runtime::args);
    let fallible = |ty: TokenStream| quote!(#args::Fallible::<#ty>::into_result);
    let convert = match ret {
        Ret::Obj => quote!(#args::IntoPy::into_py),
        Ret::IterNext => quote!(#args::IntoNext::into_next),
        Ret::Status | Ret::Void => fallible(quote!(())),
        Ret::Bool => fallible(quote!(bool)),
        Ret::Len => fallible(quote!(usize)),
        Ret::Hash => fallible(quote!(isize)),
        Ret::Send => fallible(quote!(#args::SendResult)),
        Ret::RawInt | Ret::Raw => quote!(::core::ffi::c_int::from),
    };
    let convert = respan(convert, span);
    let call = quote!(#convert(#call));
    let (params, c_ret, body) = match ret {
        Ret::Obj => (
            quote!(#params),
            quote!(*mut #abi::PyObject),
            quote!(#args::boundary_obj(|| #call)),
        ),
        Ret::IterNext => (
            quote!(#params),
            quote!(*mut #abi::PyObject),
            quote!(#args::boundary_iternext(|| #call)),
        ),
        Ret::Status => (
            quote!(#params),
            quote!(::core::ffi::c_int),
            quote!(#args::boundary_status(|| #call)),
        ),
        Ret::Bool => (
            quote!(#params),
            quote!(::core::ffi::c_int),
            quote!(#args::boundary_bool(|| #call)),
        ),
        Ret::Len => (
            quote!(#params),
            quote!(isize),
            quote!(#args::boundary_len(|| #call)),
        ),
        Ret::Hash => (
            quote!(#params),
            quote!(isize),
            quote!(#args::boundary_hash(|| #call)),
        ),
        Ret::Void => (
            quote!(#params),
            quote!(()),
            quote!(#args::boundary_void(|| #call)),
        ),
        Ret::RawInt => (quote!(#params), quote!(::core::ffi::c_int), quote!(#call)),
        Ret::Send => (
            quote!(#params out: *mut *mut #abi::PyObject,),
            quote!(::core::ffi::c_int),
            quote!(unsafe { #args::boundary_send(out, || #call) }),
        ),
        Ret::Raw => unreachable!("raw slots have their own form"),
    };
    quote! {{
        unsafe extern "C" fn #wrapper(#params) -> #c_ret { #body }
        #wrapper
    }}
}

/// `tp_dealloc`, `tp_alloc`, `tp_free`: the function has raw pointers and is `unsafe`.
fn raw(row: &Row, function: &Ident, sig: &Signature, self_ty: &Type, prefix: &str) -> Result<TokenStream> {
    if sig.abi.is_some() {
        return Ok(quote!(<#self_ty>::#function));
    }
    let wrapper = format_ident!("{prefix}_{}", row.name);
    let abi = quote!(::adder_runtime::abi);
    let void = quote!(*mut ::core::ffi::c_void);
    let (params, c_ret, call) = match row.name {
        "tp_dealloc" => (
            quote!(this: *mut #abi::PyObject),
            quote!(()),
            quote!(this.cast::<#self_ty>()),
        ),
        "tp_alloc" => (
            quote!(ty: *mut #abi::PyTypeObject, n: isize),
            quote!(*mut #abi::PyObject),
            quote!(ty, n),
        ),
        _ => (quote!(this: #void), quote!(()), quote!(this)),
    };
    Ok(quote! {{
        unsafe extern "C" fn #wrapper(#params) -> #c_ret {
            #[allow(unused_unsafe)]
            unsafe { <#self_ty>::#function(#call) }
        }
        #wrapper
    }})
}
