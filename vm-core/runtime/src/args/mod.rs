//! C arguments -> Rust parameters, Rust results -> C results: what the code that `adder_macros` writes calls.
//!
//! `Signature` binds positional and keyword arguments to slots with CPython's messages (here), `FromArg` converts one
//! argument (`from_arg`), `IntoPy` and the `boundary_*` functions convert results, errors and panics (`boundary`).
//! The messages are those of CPython 3.14 for the same signatures.

mod boundary;
mod from_arg;

pub use boundary::*;
pub use from_arg::*;

use crate::prelude::*;

/// The parameters of a native function, in the order of its text signature, without `*args` and `**kwargs`.
/// Positional parameters come first (positional-only before the others), then keyword-only ones.
#[derive(Debug)]
pub struct Signature {
    /// The function's name, as messages show it; empty where they say only `function`.
    pub name: &'static str,
    pub params: &'static [&'static str],
    pub n_posonly: usize,
    /// Parameters that can be given by position, positional-only ones included.
    pub n_pos: usize,
    /// Of these, the ones without default; they come first.
    pub n_required: usize,
    /// A bit per parameter without default, keyword-only ones included.
    pub required: u64,
    pub varargs: bool,
    pub varkw: bool,
}

/// Keyword arguments as they came: names beside values, or a dict.
#[derive(Clone, Copy)]
enum Keywords<'a> {
    Vector {
        names: &'a [&'a PyObject],
        values: &'a [&'a PyObject],
    },
    Dict(&'a PyDictObject),
}

impl<'a> Keywords<'a> {
    fn len(self) -> usize {
        match self {
            Keywords::Vector { names, .. } => names.len(),
            Keywords::Dict(dict) => dict.len(),
        }
    }

    /// Calls `f` for each name and value.
    fn for_each(self, mut f: impl FnMut(&'a PyObject, &'a PyObject) -> PyResult<()>) -> PyResult<()> {
        match self {
            Keywords::Vector { names, values } => {
                for (name, value) in names.iter().zip(values) {
                    f(name, value)?;
                }
            }
            Keywords::Dict(dict) => {
                let mut position = 0;
                while let Some((name, value, _)) = dict.next_entry(&mut position) {
                    f(name, value)?;
                }
            }
        }
        Ok(())
    }
}

/// The slots of the parameters; `None` is a parameter that was not given.
type Slots<'s, 'a> = &'s mut [Option<&'a PyObject>];

/// What `*args` and `**kwargs` get.
type Variable<'a> = (&'a [&'a PyObject], Option<Ref<PyDictObject>>);

impl Signature {
    /// Checks the number of arguments of a function that takes them by position only.
    #[inline(always)]
    pub fn check_positional(&self, nargs: usize) -> PyResult<()> {
        if nargs >= self.n_required && (nargs <= self.n_pos || self.varargs) {
            Ok(())
        } else {
            Err(self.wrong_positional(nargs))
        }
    }

    #[cold]
    #[inline(never)]
    fn wrong_positional(&self, nargs: usize) -> Raised {
        let (few, wanted) = if nargs < self.n_required {
            (true, self.n_required)
        } else {
            (false, self.n_pos)
        };
        let bound = match (self.n_required == self.n_pos && !self.varargs, few) {
            (true, _) => "",
            (false, true) => "at least ",
            (false, false) => "at most ",
        };
        raise!(
            TypeError,
            "{} expected {bound}{wanted} argument{}, got {nargs}",
            self.name,
            plural(wanted)
        )
    }

    /// Refuses keywords of a vectorcall.
    ///
    /// `kwnames` is NULL or a tuple.
    #[inline]
    pub fn no_kwnames(&self, kwnames: *mut PyObject) -> PyResult<()> {
        // SAFETY: vectorcall gives NULL or a tuple.
        match unsafe { borrow_opt::<PyTupleObject>(kwnames) } {
            Some(names) if !names.is_empty() => Err(self.no_keywords()),
            _ => Ok(()),
        }
    }

    #[cold]
    fn no_keywords(&self) -> Raised {
        raise!(TypeError, "{}() takes no keyword arguments", self.name)
    }

    /// Binds the arguments of a vectorcall.
    ///
    /// # Safety
    /// `args` holds `nargs` live objects and one more for each name of `kwnames`, which is NULL or a tuple of names.
    /// They outlive `'a`.
    #[inline(always)]
    pub unsafe fn bind_vectorcall<'a>(
        &self,
        args: *const *mut PyObject,
        nargs: isize,
        kwnames: *mut PyObject,
        slots: Slots<'_, 'a>,
    ) -> PyResult<()> {
        // SAFETY: the caller's contract.
        let args = unsafe { arg_slice::<'a>(args, nargs) };
        if kwnames.is_null() && self.fits_without_keywords(args.len()) {
            fill(slots, args);
            return Ok(());
        }
        // SAFETY: the caller's contract.
        let keywords = unsafe { vector_keywords(args, kwnames) };
        self.bind(args, keywords, slots, &mut None)
    }

    /// As `bind_vectorcall`, for a signature with `*args` or `**kwargs`, whose values it returns.
    ///
    /// # Safety
    /// As `bind_vectorcall`.
    pub unsafe fn bind_vectorcall_var<'a>(
        &self,
        args: *const *mut PyObject,
        nargs: isize,
        kwnames: *mut PyObject,
        slots: Slots<'_, 'a>,
    ) -> PyResult<Variable<'a>> {
        // SAFETY: the caller's contract.
        let args = unsafe { arg_slice::<'a>(args, nargs) };
        // SAFETY: the caller's contract.
        let keywords = unsafe { vector_keywords(args, kwnames) };
        self.bind_var(args, keywords, slots)
    }

    /// Binds the arguments of `tp_new`, `tp_init` and `tp_call`.
    ///
    /// # Safety
    /// `args` is a tuple and `kwargs` NULL or a dict; they outlive `'a`.
    pub unsafe fn bind_tuple<'a>(
        &self,
        args: *mut PyObject,
        kwargs: *mut PyObject,
        slots: Slots<'_, 'a>,
    ) -> PyResult<()> {
        // SAFETY: the caller's contract.
        let (args, kwargs) = unsafe { (tuple_slice::<'a>(args), borrow_opt::<'a, PyDictObject>(kwargs)) };
        match kwargs {
            None if self.fits_without_keywords(args.len()) => {
                fill(slots, args);
                Ok(())
            }
            None => self.bind(
                args,
                Keywords::Vector {
                    names: &[],
                    values: &[],
                },
                slots,
                &mut None,
            ),
            Some(kwargs) => self.bind(args, Keywords::Dict(kwargs), slots, &mut None),
        }
    }

    /// As `bind_tuple`, for a signature with `*args` or `**kwargs`, whose values it returns.
    ///
    /// # Safety
    /// As `bind_tuple`.
    pub unsafe fn bind_tuple_var<'a>(
        &self,
        args: *mut PyObject,
        kwargs: *mut PyObject,
        slots: Slots<'_, 'a>,
    ) -> PyResult<Variable<'a>> {
        // SAFETY: the caller's contract.
        let (args, kwargs) = unsafe { (tuple_slice::<'a>(args), borrow_opt::<'a, PyDictObject>(kwargs)) };
        let none = Keywords::Vector {
            names: &[],
            values: &[],
        };
        self.bind_var(args, kwargs.map_or(none, Keywords::Dict), slots)
    }

    #[inline(always)]
    fn fits_without_keywords(&self, nargs: usize) -> bool {
        let keyword_only_required = self.required >> self.n_pos != 0;
        nargs >= self.n_required && nargs <= self.n_pos && !keyword_only_required
    }

    fn bind_var<'a>(
        &self,
        args: &'a [&'a PyObject],
        keywords: Keywords<'a>,
        slots: Slots<'_, 'a>,
    ) -> PyResult<Variable<'a>> {
        let mut extra = None;
        self.bind(args, keywords, slots, &mut extra)?;
        Ok((if self.varargs { rest(args, self.n_pos) } else { &[] }, extra))
    }

    /// The general case. Complaints come in CPython's order: too many, too few positional-only, a missing one, then
    /// one given twice, then an unknown keyword.
    #[inline(never)]
    fn bind<'a>(
        &self,
        args: &'a [&'a PyObject],
        keywords: Keywords<'a>,
        slots: Slots<'_, 'a>,
        extra: &mut Option<Ref<PyDictObject>>,
    ) -> PyResult<()> {
        self.check_counts(args.len(), keywords.len())?;
        let n_given = args.len().min(self.n_pos);
        fill(slots, &args[..n_given]);
        let mut twice: Option<usize> = None;
        let mut unknown: Option<&PyObject> = None;
        keywords.for_each(|name, value| {
            let Some(text) = name.downcast::<PyUnicodeObject>() else {
                return Err(raise!(TypeError, "keywords must be strings"));
            };
            match self.keyword_index(text) {
                Some(idx) if idx < n_given => twice = Some(twice.map_or(idx, |old| old.min(idx))),
                Some(idx) => slots[idx] = Some(value),
                None if self.varkw => extra.get_or_insert_with(PyDictObject::new).set(name, value)?,
                None => unknown = unknown.or(Some(name)),
            }
            Ok(())
        })?;
        for (idx, slot) in slots.iter().enumerate() {
            if slot.is_none() && self.required & (1 << idx) != 0 {
                let (name, param) = (self.called(), self.params[idx]);
                return Err(raise!(
                    TypeError,
                    "{name} missing required argument '{param}' (pos {})",
                    idx + 1
                ));
            }
        }
        if let Some(idx) = twice {
            let (name, param) = (self.called(), self.params[idx]);
            return Err(raise!(
                TypeError,
                "argument for {name} given by name ('{param}') and position ({})",
                idx + 1
            ));
        }
        match unknown {
            None => Ok(()),
            Some(keyword) => Err(self.unexpected_keyword(keyword)),
        }
    }

    #[cold]
    fn unexpected_keyword(&self, keyword: &PyObject) -> Raised {
        let name = self.name;
        let possible = &self.params[self.n_posonly..];
        // A subclass of str may say that it is equal to a name that it is not.
        for param in possible.iter().filter(|_| !PyUnicodeObject::check_exact(keyword)) {
            match keyword.eq(PyUnicodeObject::from_str(param).as_object()) {
                Ok(false) => {}
                Ok(true) => return raise!(TypeError, "invalid keyword argument for {name}()"),
                Err(raised) => return raised,
            }
        }
        match keyword.str() {
            Ok(keyword) => unexpected_keyword(name, &keyword.to_string_lossy(), possible),
            Err(raised) => raised,
        }
    }

    /// The parameter that a keyword names.
    fn keyword_index(&self, keyword: &PyUnicodeObject) -> Option<usize> {
        (self.n_posonly..self.params.len()).find(|&idx| keyword.eq_str(self.params[idx]))
    }

    /// How messages begin: `f()`.
    fn called(&self) -> Called {
        Called(self.name)
    }

    fn check_counts(&self, nargs: usize, nkwargs: usize) -> PyResult<()> {
        let n_params = self.params.len();
        if !self.varargs && !self.varkw && nargs + nkwargs > n_params {
            // "keyword" keeps the message from saying that f() takes at most 1 argument when it takes only x=.
            let keyword = if nargs == 0 { "keyword " } else { "" };
            let (name, s, given) = (self.called(), plural(n_params), nargs + nkwargs);
            return Err(raise!(
                TypeError,
                "{name} takes at most {n_params} {keyword}argument{s} ({given} given)"
            ));
        }
        let (max, min) = (self.n_pos, self.n_required);
        if !self.varargs && nargs > max {
            let name = self.called();
            if max == 0 {
                return Err(raise!(TypeError, "{name} takes no positional arguments"));
            }
            let bound = if min < max { "at most" } else { "exactly" };
            let s = plural(max);
            return Err(raise!(
                TypeError,
                "{name} takes {bound} {max} positional argument{s} ({nargs} given)"
            ));
        }
        let min_posonly = self.n_posonly.min(min);
        if nargs < min_posonly {
            let bound = if self.varargs || min_posonly < max {
                "at least"
            } else {
                "exactly"
            };
            let (name, s) = (self.called(), plural(min_posonly));
            return Err(raise!(
                TypeError,
                "{name} takes {bound} {min_posonly} positional argument{s} ({nargs} given)"
            ));
        }
        Ok(())
    }

    /// How a message names a parameter: `argument`, `argument 2` or `argument 'name'`.
    pub fn describe(&self, index: usize) -> String {
        let single = self.n_posonly == 1 && self.n_pos == 1 && self.n_required == 1 && self.params.len() == 1;
        if single && !self.varargs && !self.varkw {
            "argument".to_owned()
        } else if index < self.n_posonly {
            format!("argument {}", index + 1)
        } else {
            format!("argument '{}'", self.params[index])
        }
    }

    /// `f() argument 1 must be str, not int`.
    #[cold]
    #[inline(never)]
    pub fn bad_argument(&self, index: usize, expected: &str, arg: &PyObject) -> Raised {
        let (name, argument) = (self.name, self.describe(index));
        let found = if is_none(arg) {
            "None"
        } else {
            arg.ty().full_name()
        };
        raise!(TypeError, "{name}() {argument} must be {expected}, not {found}")
    }
}

/// A function as messages show it.
struct Called(&'static str);

impl std::fmt::Display for Called {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            "" => f.write_str("function"),
            name => write!(f, "{name}()"),
        }
    }
}

fn plural(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}

#[inline(always)]
fn fill<'a>(slots: Slots<'_, 'a>, args: &[&'a PyObject]) {
    for (slot, arg) in slots.iter_mut().zip(args) {
        *slot = Some(arg);
    }
}

/// The keywords of a vectorcall: their values follow the positional arguments.
///
/// # Safety
/// As `Signature::bind_vectorcall`.
#[inline(always)]
unsafe fn vector_keywords<'a>(args: &'a [&'a PyObject], kwnames: *mut PyObject) -> Keywords<'a> {
    // SAFETY: the caller's contract.
    let Some(names) = (unsafe { borrow_opt::<PyTupleObject>(kwnames) }) else {
        return Keywords::Vector {
            names: &[],
            values: &[],
        };
    };
    let names = names.as_slice();
    // SAFETY: the caller's contract: a value for each name follows.
    let values = unsafe { std::slice::from_raw_parts(args.as_ptr().add(args.len()), names.len()) };
    Keywords::Vector { names, values }
}

/// The keyword arguments of a `raw` function, as vectorcall passes them.
#[derive(Clone, Copy)]
pub struct Kwargs<'a> {
    names: &'a [&'a PyObject],
    values: &'a [&'a PyObject],
}

impl<'a> Kwargs<'a> {
    /// # Safety
    /// As `Signature::bind_vectorcall`.
    #[inline(always)]
    pub unsafe fn new(args: *const *mut PyObject, nargs: isize, kwnames: *mut PyObject) -> Kwargs<'a> {
        // SAFETY: the caller's contract.
        match unsafe { vector_keywords(arg_slice(args, nargs), kwnames) } {
            Keywords::Vector { names, values } => Kwargs { names, values },
            Keywords::Dict(_) => unreachable!("a vectorcall has no dict"),
        }
    }

    #[inline(always)]
    pub fn len(self) -> usize {
        self.names.len()
    }

    #[inline(always)]
    pub fn is_empty(self) -> bool {
        self.names.is_empty()
    }

    /// Names with values. A name may be any object: C callers are not checked.
    pub fn iter(self) -> impl Iterator<Item = (&'a PyObject, &'a PyObject)> {
        self.names.iter().copied().zip(self.values.iter().copied())
    }

    pub fn get(self, wanted: &str) -> Option<&'a PyObject> {
        let named = |name: &PyObject| {
            name.downcast::<PyUnicodeObject>()
                .is_some_and(|name| name.eq_str(wanted))
        };
        self.iter().find(|(name, _)| named(name)).map(|(_, value)| value)
    }

    /// A new dict of them, if there are any.
    pub fn to_dict(self) -> PyResult<Option<Ref<PyDictObject>>> {
        if self.is_empty() {
            return Ok(None);
        }
        let dict = PyDictObject::new();
        for (name, value) in self.iter() {
            dict.set(name, value)?;
        }
        Ok(Some(dict))
    }
}

/// A C pointer as a borrowed reference.
///
/// # Safety
/// `ptr` is a live object of layout `T`.
#[inline(always)]
pub unsafe fn borrow<'a, T>(ptr: *mut PyObject) -> &'a T {
    debug_assert!(!ptr.is_null());
    // SAFETY: the caller's contract.
    unsafe { &*ptr.cast::<T>() }
}

/// As `borrow`, with NULL as `None`.
///
/// # Safety
/// As `borrow`, when not NULL.
#[inline(always)]
pub unsafe fn borrow_opt<'a, T>(ptr: *mut PyObject) -> Option<&'a T> {
    // SAFETY: the caller's contract.
    unsafe { ptr.cast::<T>().as_ref() }
}

/// The positional arguments of a fastcall.
///
/// # Safety
/// `args` points to `nargs` live objects.
#[inline(always)]
pub unsafe fn arg_slice<'a>(args: *const *mut PyObject, nargs: isize) -> &'a [&'a PyObject] {
    if nargs == 0 {
        return if args.is_null() {
            &[]
        } else {
            // Keeps the address: the values of keywords follow.
            // SAFETY: a non-null pointer to zero items.
            unsafe { std::slice::from_raw_parts(args.cast(), 0) }
        };
    }
    // SAFETY: the caller's contract; a reference has the layout of a pointer.
    unsafe { std::slice::from_raw_parts(args.cast(), nargs as usize) }
}

/// The positional arguments of a vectorcall.
///
/// # Safety
/// `args` points to as many live objects as `nargsf` says.
#[inline(always)]
pub unsafe fn vector_slice<'a>(args: *const *mut PyObject, nargsf: usize) -> &'a [&'a PyObject] {
    // SAFETY: the caller's contract.
    unsafe { arg_slice(args, PyVectorcall_NARGS(nargsf) as isize) }
}

/// The items of an argument tuple.
///
/// # Safety
/// `args` is a tuple that outlives `'a`.
#[inline(always)]
pub unsafe fn tuple_slice<'a>(args: *mut PyObject) -> &'a [&'a PyObject] {
    // SAFETY: the caller's contract.
    unsafe { borrow::<'a, PyTupleObject>(args) }.as_slice()
}

/// What is left for `*args`.
#[inline(always)]
pub fn rest<'a>(args: &'a [&'a PyObject], n_pos: usize) -> &'a [&'a PyObject] {
    args.get(n_pos..).unwrap_or(&[])
}

/// The argument of a parameter without default: `bind` has filled it or raised.
#[inline(always)]
pub fn filled(slot: Option<&PyObject>) -> &PyObject {
    match slot {
        Some(arg) => arg,
        None => unreachable!("bind raises when a required argument is missing"),
    }
}

/// The `tp_new` of a type that is set up by its `tp_init`: allocates.
///
/// # Safety
/// `cls` is a ready type.
pub unsafe extern "C" fn generic_new(
    cls: *mut PyTypeObject,
    _args: *mut PyObject,
    _kwargs: *mut PyObject,
) -> *mut PyObject {
    // SAFETY: the caller's contract; a ready type has `tp_alloc`.
    unsafe {
        (*cls)
            .tp_alloc
            .get()
            .map_or(std::ptr::null_mut(), |alloc| alloc(cls, 0))
    }
}

fn address<F>(function: Option<F>) -> usize {
    const { assert!(size_of::<Option<F>>() == size_of::<usize>()) };
    // SAFETY: an optional function pointer has the layout of a pointer.
    unsafe { std::mem::transmute_copy(&function) }
}

/// For a `tp_new` that takes no keywords: refuses them, unless a subclass's `__init__` may be meant to take them.
///
/// # Safety
/// `cls` is a type, `kwargs` NULL or a dict.
#[inline]
pub unsafe fn new_without_keywords(
    cls: *mut PyObject,
    base: &PyTypeObject,
    kwargs: *mut PyObject,
    signature: &Signature,
) -> PyResult<()> {
    // SAFETY: the caller's contract.
    let Some(kwargs) = (unsafe { borrow_opt::<PyDictObject>(kwargs) }) else {
        return Ok(());
    };
    // SAFETY: the caller's contract.
    let cls: &PyTypeObject = unsafe { borrow(cls) };
    let ours = std::ptr::eq(cls, base) || address(cls.tp_init.get()) == address(base.tp_init.get());
    if kwargs.len() != 0 && ours {
        Err(signature.no_keywords())
    } else {
        Ok(())
    }
}

/// For a `tp_init` that takes no keywords: refuses them, unless a subclass's `__new__` may be meant to take them.
///
/// # Safety
/// `this` is an object, `kwargs` NULL or a dict.
#[inline]
pub unsafe fn init_without_keywords(
    this: *mut PyObject,
    base: &PyTypeObject,
    kwargs: *mut PyObject,
    signature: &Signature,
) -> PyResult<()> {
    // SAFETY: the caller's contract.
    let Some(kwargs) = (unsafe { borrow_opt::<PyDictObject>(kwargs) }) else {
        return Ok(());
    };
    // SAFETY: the caller's contract.
    let ty = unsafe { borrow::<PyObject>(this) }.ty();
    let ours = std::ptr::eq(ty, base) || address(ty.tp_new.get()) == address(base.tp_new.get());
    if kwargs.len() != 0 && ours {
        Err(signature.no_keywords())
    } else {
        Ok(())
    }
}

/// TypeError for a keyword that `name()` does not have, with the nearest of those that it has.
#[cold]
pub fn unexpected_keyword(name: &str, keyword: &str, possible: &[&str]) -> Raised {
    let called = match name {
        "" => "this function".to_owned(),
        name => format!("{name}()"),
    };
    match crate::suggestions::best_match(keyword, possible.iter().copied()) {
        Some(other) => raise!(
            TypeError,
            "{called} got an unexpected keyword argument '{keyword}'. Did you mean '{other}'?"
        ),
        None => raise!(
            TypeError,
            "{called} got an unexpected keyword argument '{keyword}'"
        ),
    }
}

/// TypeError when there are more keywords than a function has that takes nothing else by name.
pub fn check_keyword_count(name: &str, n_given: usize, n_possible: usize) -> PyResult<()> {
    if n_given > n_possible {
        let s = plural(n_possible);
        return Err(raise!(
            TypeError,
            "{name}() takes at most {n_possible} keyword argument{s} ({n_given} given)"
        ));
    }
    Ok(())
}
