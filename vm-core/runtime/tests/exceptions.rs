//! Exceptions, modules, bound methods, properties and super, driven from Rust: texts and chaining as CPython 3.14 has them.

use adder_runtime::exceptions::{self, exc};
use adder_runtime::objects::classobject::new_method;
use adder_runtime::prelude::*;
use adder_runtime::{error, objects, thread, types};

fn start() {
    let state = thread::new_thread_state();
    thread::acquire_gil(state);
    thread::init_native_thread(state);
    types::registry::ready_all().expect("the built-in types");
    exceptions::init().expect("the exception types");
}

fn text(result: PyResult<Ref<PyUnicodeObject>>) -> String {
    match result {
        Ok(text) => text.to_string_lossy(),
        Err(raised) => format!("!{}", message(raised)),
    }
}

/// `Type: message` of the exception in flight.
fn message(raised: Raised) -> String {
    let exception = raised.take();
    format!("{}: {}", exception.ty().name(), text(exception.str()))
}

fn s(text: &str) -> Ref {
    PyUnicodeObject::from_str(text).into_object()
}
fn i(value: i64) -> Ref {
    PyLongObject::from_i64(value).into_object()
}
fn call(ty: &PyTypeObject, args: &[&PyObject]) -> Ref {
    match ty.as_object().call(args) {
        Ok(object) => object,
        Err(raised) => panic!("{}", message(raised)),
    }
}
fn call_error(ty: &PyTypeObject, args: &[&PyObject]) -> String {
    match ty.as_object().call(args) {
        Ok(object) => format!("no error: {}", text(object.repr())),
        Err(raised) => message(raised),
    }
}

#[test]
fn exceptions() {
    start();
    plain();
    chaining();
    os_errors();
    unicode_errors();
    syntax_errors();
    groups();
    modules_and_descriptors();
    assert!(!error::occurred());
}

fn plain() {
    assert_eq!(text(call(exc::ValueError, &[]).repr()), "ValueError()");
    assert_eq!(text(call(exc::ValueError, &[&s("x")]).repr()), "ValueError('x')");
    assert_eq!(text(call(exc::ValueError, &[&i(1), &i(2)]).str()), "(1, 2)");
    assert_eq!(text(call(exc::KeyError, &[&s("x")]).str()), "'x'");
    assert_eq!(message(raise!(TypeError, "bad {}", 3)), "TypeError: bad 3");
    assert_eq!(message(raise!(MemoryError)), "MemoryError: ");
    let stop = raise!(StopIteration, value => i(7)).take();
    assert_eq!(
        text(stop.get_attr_str("value").and_then(|value| value.repr())),
        "7"
    );
    let kwargs = call(exc::NameError, &[]);
    assert_eq!(
        text(kwargs.get_attr_str("name").and_then(|value| value.repr())),
        "None"
    );
    let named = exc::AttributeError
        .as_object()
        .call_kw(&[&s("m")], &[("name", &s("n")), ("obj", &i(3))]);
    let named = named.map_err(message).unwrap();
    assert_eq!(
        text(named.get_attr_str("obj").and_then(|value| value.repr())),
        "3"
    );
    let wrong = exc::NameError.as_object().call_kw(&[], &[("y", &i(1))]);
    assert_eq!(
        message(wrong.unwrap_err()),
        "TypeError: NameError() got an unexpected keyword argument 'y'"
    );
    let exit = call(exc::SystemExit, &[&i(3)]);
    assert_eq!(
        text(exit.get_attr_str("code").and_then(|value| value.repr())),
        "3"
    );
    exceptions::add_note(&exit, "note").map_err(message).unwrap();
    assert_eq!(
        text(exit.get_attr_str("__notes__").and_then(|notes| notes.repr())),
        "['note']"
    );
    let wrong = exit.set_attr_str("__cause__", &i(1)).unwrap_err();
    assert_eq!(
        message(wrong),
        "TypeError: exception cause must be None or derive from BaseException"
    );
    let reduced = call(exc::ValueError, &[&i(1)])
        .get_attr_str("__reduce__")
        .and_then(|method| method.call0());
    assert_eq!(
        text(reduced.and_then(|reduced| reduced.repr())),
        "(<class 'ValueError'>, (1,))"
    );
}

fn chaining() {
    let state = thread::thread_state();
    let handled = call(exc::ValueError, &[&s("first")]);
    let entry = state.base.exc_info.get();
    // SAFETY: the thread's own entry; what it held is put back.
    unsafe { (*entry).exc_value.set(handled.as_raw()) };
    let raised = raise!(KeyError, "second").take();
    assert!(exceptions::get_context(&raised).is_some_and(|context| context.is(&handled)));
    // Raising the handled exception from within its own chain makes no cycle.
    let again = error::raise_exception(handled.clone()).take();
    assert!(exceptions::get_context(&again).is_none());
    // SAFETY: as above.
    unsafe { (*entry).exc_value.set(std::ptr::null_mut()) };
    exceptions::set_cause(&raised, Some(handled));
    assert!(exceptions::suppresses_context(&raised));
}

fn os_errors() {
    let error = call(exc::OSError, &[&i(2), &s("No such file"), &s("f")]);
    assert_eq!(error.ty().name(), "FileNotFoundError");
    assert_eq!(text(error.str()), "[Errno 2] No such file: 'f'");
    assert_eq!(text(error.repr()), "FileNotFoundError(2, 'No such file')");
    let name = s("x");
    assert_eq!(
        message(exceptions::os_error_from_errno(libc::EEXIST, Some(&name), None)),
        "FileExistsError: [Errno 17] File exists: 'x'"
    );
    let blocking = call(exc::BlockingIOError, &[&i(11), &s("a"), &i(7)]);
    assert_eq!(
        text(blocking.get_attr_str("characters_written").and_then(|n| n.repr())),
        "7"
    );
}

fn unicode_errors() {
    let error = call(
        exc::UnicodeEncodeError,
        &[&s("ascii"), &s("a\u{e9}"), &i(1), &i(2), &s("why")],
    );
    assert_eq!(
        text(error.str()),
        "'ascii' codec can't encode character '\\xe9' in position 1: why"
    );
    assert_eq!(
        call_error(exc::UnicodeEncodeError, &[&i(1)]),
        "TypeError: function takes exactly 5 arguments (1 given)"
    );
}

fn syntax_errors() {
    let place = PyTupleObject::from_vec(vec![s("/a/b.py"), i(3), i(1), s("x")]);
    let error = call(exc::SyntaxError, &[&s("bad"), place.as_object()]);
    assert_eq!(text(error.str()), "bad (b.py, line 3)");
    let short = PyTupleObject::from_vec(vec![i(1)]);
    assert_eq!(
        call_error(exc::SyntaxError, &[&s("bad"), short.as_object()]),
        "TypeError: function takes at least 4 arguments (1 given)"
    );
}

fn groups() {
    let value = call(exc::ValueError, &[&i(1)]);
    let other = call(exc::TypeError, &[&i(2)]);
    let list = PyListObject::from_vec(vec![value.clone(), other.clone()]);
    let group = call(exc::BaseExceptionGroup, &[&s("eg"), list.as_object()]);
    assert_eq!(
        text(group.repr()),
        "ExceptionGroup('eg', [ValueError(1), TypeError(2)])"
    );
    assert_eq!(text(group.str()), "eg (2 sub-exceptions)");
    assert!(group.is_instance_of(exc::Exception));
    let matched = exceptions::match_star(&group, exc::ValueError.as_object())
        .map_err(message)
        .unwrap();
    assert_eq!(
        text(matched.matched.clone().unwrap().repr()),
        "ExceptionGroup('eg', [ValueError(1)])"
    );
    assert_eq!(
        text(matched.rest.clone().unwrap().repr()),
        "ExceptionGroup('eg', [TypeError(2)])"
    );
    let left = PyListObject::from_vec(vec![matched.rest.unwrap()]);
    let raised = exceptions::prep_reraise_star(&group, &left)
        .map_err(message)
        .unwrap();
    assert_eq!(
        text(raised.unwrap().repr()),
        "ExceptionGroup('eg', [TypeError(2)])"
    );
    let interrupt = PyListObject::from_vec(vec![call(exc::KeyboardInterrupt, &[])]);
    assert_eq!(
        call_error(exc::ExceptionGroup, &[&s("a"), interrupt.as_object()]),
        "TypeError: Cannot nest BaseExceptions in an ExceptionGroup"
    );
}

fn modules_and_descriptors() {
    let module = PyModuleObject::new("m").map_err(message).unwrap();
    module.add("x", i(5)).map_err(message).unwrap();
    assert_eq!(
        text(module.as_object().get_attr_str("x").and_then(|x| x.repr())),
        "5"
    );
    let missing = module.as_object().get_attr_str("y").unwrap_err();
    assert_eq!(
        message(missing),
        "AttributeError: module 'm' has no attribute 'y'"
    );
    let method = new_method(exc::ValueError.as_object(), &s("self"))
        .map_err(message)
        .unwrap();
    assert_eq!(
        text(method.call1(&i(1)).and_then(|made| made.repr())),
        "ValueError('self', 1)"
    );
    assert_eq!(text(method.repr()), "<bound method ValueError of 'self'>");
    let property = call(&objects::property::PyProperty_Type, &[]);
    let get = property.get_attr_str("__get__").and_then(|get| get.call1(&i(3)));
    assert_eq!(
        message(get.unwrap_err()),
        "AttributeError: property of 'int' object has no getter"
    );
    let proxy = call(
        &objects::superobject::PySuper_Type,
        &[exc::KeyError.as_object(), &call(exc::KeyError, &[&s("k")])],
    );
    assert_eq!(
        text(
            proxy
                .get_attr_str("__str__")
                .and_then(|str| str.call0())
                .and_then(|text| text.repr())
        ),
        "'k'"
    );
    assert_eq!(
        text(proxy.repr()),
        "<super: <class 'KeyError'>, <KeyError object>>"
    );
}
