//! The containers, driven from Rust: contents, order, hashes, sizes and messages as CPython 3.14 has them.

use adder_runtime::objects::dictobject::{OnDuplicate, instance};
use adder_runtime::objects::weakrefobject;
use adder_runtime::prelude::*;
use adder_runtime::{exceptions, objects, thread, types};
use std::collections::HashMap;

fn start() {
    let state = thread::new_thread_state();
    thread::acquire_gil(state);
    thread::init_native_thread(state);
    types::registry::ready_all().expect("the built-in types");
    exceptions::init().expect("the exception types");
}

fn message(raised: Raised) -> String {
    let exception = raised.take();
    let text = exception
        .str()
        .map_or_else(|_| "?".into(), |text| text.to_string_lossy());
    format!("{}: {text}", exception.ty().name())
}
trait Object {
    fn object(&self) -> &PyObject;
}
impl Object for PyObject {
    fn object(&self) -> &PyObject {
        self
    }
}
impl Object for Ref {
    fn object(&self) -> &PyObject {
        self
    }
}
fn repr<T: Object>(object: &T) -> String {
    object
        .object()
        .repr()
        .map_or_else(message, |text| text.to_string_lossy())
}
fn s(text: &str) -> Ref {
    PyUnicodeObject::from_str(text).into_object()
}
fn i(value: i64) -> Ref {
    PyLongObject::from_i64(value).into_object()
}
fn ints(values: impl IntoIterator<Item = i64>) -> Ref<PyListObject> {
    PyListObject::from_vec(values.into_iter().map(i).collect())
}
fn ok<T>(result: PyResult<T>) -> T {
    result.unwrap_or_else(|raised| panic!("{}", message(raised)))
}
fn error<T>(result: PyResult<T>) -> String {
    match result {
        Ok(_) => "no error".into(),
        Err(raised) => message(raised),
    }
}
fn method(object: &PyObject, name: &str, args: &[&PyObject]) -> PyResult {
    object.get_attr_str(name)?.call(args)
}

#[test]
fn containers() {
    start();
    dict_against_a_model();
    dict_texts();
    dict_views();
    instances_share_keys();
    lists();
    sorting();
    tuples();
    sets();
    weak_references();
    memoryviews();
    generic_aliases();
    iterators();
    proxies();
    struct_sequences();
    small_types();
}

/// A small generator, so that the test needs no crate.
struct Random(u64);
impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) % n
    }
}

/// Random operations on a dict and on a list of pairs with an index.
fn dict_against_a_model() {
    for with_ints in [false, true] {
        let key = |n: u64| {
            if with_ints && n.is_multiple_of(3) {
                i(n as i64)
            } else {
                s(&format!("k{n}"))
            }
        };
        let dict = PyDictObject::new();
        let mut order: Vec<(u64, i64)> = Vec::new();
        let mut index: HashMap<u64, i64> = HashMap::new();
        let mut random = Random(42);
        for step in 0..20_000 {
            let n = random.below(if step < 10_000 { 40 } else { 700 });
            match random.below(10) {
                0..=5 => {
                    let value = step as i64;
                    ok(dict.set(&key(n), &i(value)));
                    if index.insert(n, value).is_some() {
                        order.iter_mut().find(|(k, _)| *k == n).unwrap().1 = value;
                    } else {
                        order.push((n, value));
                    }
                }
                6 | 7 => {
                    let was = ok(dict.remove(&key(n)));
                    assert_eq!(was, index.remove(&n).is_some());
                    order.retain(|(k, _)| *k != n);
                }
                8 => {
                    let found = ok(dict.get(&key(n)));
                    let found =
                        found.map(|value| value.downcast::<PyLongObject>().unwrap().to_i64().unwrap());
                    assert_eq!(found, index.get(&n).copied());
                }
                _ => {
                    if let Some((popped, _)) = ok(dict.pop_last()) {
                        let (n, _) = order.pop().unwrap();
                        index.remove(&n);
                        assert!(ok(popped.compare_bool(&key(n), CompareOp::Eq)));
                    }
                }
            }
            assert_eq!(dict.len(), order.len());
        }
        let expected: Vec<String> = order
            .iter()
            .map(|(n, v)| format!("{}: {v}", repr(&key(*n))))
            .collect();
        assert_eq!(repr(dict.as_object()), format!("{{{}}}", expected.join(", ")));
        let copy = ok(dict.copy());
        assert!(ok(copy.equals(&dict)));
        let merged = PyDictObject::new();
        ok(merged.merge_dict(&dict, OnDuplicate::Fail));
        assert_eq!(repr(merged.as_object()), repr(dict.as_object()));
        if !dict.is_empty() {
            assert!(error(merged.merge_dict(&dict, OnDuplicate::Fail)).starts_with("KeyError"));
        }
        dict.clear();
        assert_eq!(repr(dict.as_object()), "{}");
    }
}

fn dict_texts() {
    let dict = PyDictObject::new();
    let size = |dict: &PyDictObject| repr(&ok(method(dict.as_object(), "__sizeof__", &[])));
    assert_eq!(size(&dict), "48");
    ok(dict.set(&s("a"), &i(1)));
    assert_eq!(size(&dict), "168");
    ok(dict.set(&i(1), &i(1)));
    assert_eq!(size(&dict), "208");
    ok(dict.set(&s("self"), dict.as_object()));
    assert_eq!(repr(dict.as_object()), "{'a': 1, 1: 1, 'self': {...}}");
    ok(dict.remove(&s("self")));
    let list = ints([]);
    assert_eq!(
        error(dict.get(list.as_object())),
        "TypeError: cannot use 'list' as a dict key (unhashable type: 'list')"
    );
    assert_eq!(error(dict.as_object().get_item(&s("b"))), "KeyError: 'b'");
    let pair = PyTupleObject::from_vec(vec![i(1), i(2)]);
    assert_eq!(
        error(dict.as_object().get_item(pair.as_object())),
        "KeyError: (1, 2)"
    );
    let pairs = PyListObject::from_vec(vec![PyTupleObject::from_vec(vec![i(1)]).into_object()]);
    assert_eq!(
        error(dict.update(pairs.as_object())),
        "ValueError: dictionary update sequence element #0 has length 1; 2 is required"
    );
    assert_eq!(
        error(dict.update(ints([1]).as_object())),
        "TypeError: object is not iterable"
    );
    assert_eq!(
        repr(&ok(PyDictObject::type_object()
            .as_object()
            .call_kw(&[dict.as_object()], &[("z", &i(3))]))),
        "{'a': 1, 1: 1, 'z': 3}"
    );
    assert_eq!(repr(&ok(method(dict.as_object(), "popitem", &[]))), "(1, 1)");
    assert_eq!(
        repr(&ok(method(dict.as_object(), "setdefault", &[&s("q"), &i(7)]))),
        "7"
    );
    assert_eq!(
        repr(&ok(method(dict.as_object(), "pop", &[&s("none"), &i(8)]))),
        "8"
    );
    assert_eq!(
        error(method(dict.as_object(), "pop", &[&s("none")])),
        "KeyError: 'none'"
    );
    // Inline caches: a version that stays while only values change.
    let version = dict.keys_version();
    let at = dict.index_of_str(PyUnicodeObject::intern_immortal("a"));
    ok(dict.set(&s("a"), &i(9)));
    assert!(version == dict.keys_version() && version != 0);
    if let Some(at) = at {
        // SAFETY: the version is the same.
        assert_eq!(repr(unsafe { &*dict.value_at(at) }), "9");
    }
    ok(dict.set(&s("new"), &i(9)));
    assert_ne!(version, dict.keys_version());
}

fn dict_views() {
    let dict = PyDictObject::new();
    for n in 0..4 {
        ok(dict.set(&i(n), &i(n * n)));
    }
    let d = dict.as_object();
    let keys = ok(method(d, "keys", &[]));
    assert_eq!(repr(&keys), "dict_keys([0, 1, 2, 3])");
    assert_eq!(repr(&ok(method(d, "values", &[]))), "dict_values([0, 1, 4, 9])");
    let items = ok(method(d, "items", &[]));
    assert_eq!(repr(&items), "dict_items([(0, 0), (1, 1), (2, 4), (3, 9)])");
    let some = ints([1, 3, 5]);
    let number = adder_runtime::protocol::number::and(&keys, some.as_object());
    assert_eq!(repr(&ok(number)), "{1, 3}");
    assert_eq!(
        repr(&ok(adder_runtime::protocol::number::subtract(
            &keys,
            some.as_object()
        ))),
        "{0, 2}"
    );
    assert_eq!(
        repr(&ok(adder_runtime::protocol::number::xor(&keys, some.as_object()))),
        "{0, 2, 5}"
    );
    assert!(ok(
        items.contains(PyTupleObject::from_vec(vec![i(2), i(4)]).as_object())
    ));
    let iterator = ok(d.iter());
    assert_eq!(repr(&ok(iterator.next()).unwrap()), "0");
    ok(dict.set(&i(9), &i(9)));
    assert_eq!(
        error(iterator.next()),
        "RuntimeError: dictionary changed size during iteration"
    );
}

fn class(name: &str, attributes: &[&str]) -> Ref {
    let dict = PyDictObject::new();
    let names = PyTupleObject::from_vec(attributes.iter().map(|name| s(name)).collect());
    ok(dict.set(&s("__static_attributes__"), names.as_object()));
    ok(dict.set(&s("__module__"), &s("m")));
    let bases = PyTupleObject::empty();
    ok(types::PyType_Type
        .as_object()
        .call(&[&s(name), bases.as_object(), dict.as_object()]))
}

fn instances_share_keys() {
    let class = class("C", &["a", "b"]);
    let (one, two) = (ok(class.call0()), ok(class.call0()));
    assert!(instance::valid_inline_values(&one).is_some());
    ok(one.set_attr_str("b", &i(1)));
    ok(one.set_attr_str("a", &i(2)));
    ok(two.set_attr_str("late", &i(3)));
    assert_eq!(repr(&ok(one.get_attr_str("b"))), "1");
    assert_eq!(
        error(one.get_attr_str("late")),
        "AttributeError: 'C' object has no attribute 'late'"
    );
    // The dict is over the same memory, in the order of setting.
    let dict = ok(one.get_attr_str("__dict__"));
    assert_eq!(repr(&dict), "{'b': 1, 'a': 2}");
    ok(dict.set_item(&s("c"), &i(4)));
    assert_eq!(repr(&ok(one.get_attr_str("c"))), "4");
    ok(one.del_attr(&PyUnicodeObject::from_str("b")));
    assert_eq!(repr(&dict), "{'a': 2, 'c': 4}");
    assert_eq!(
        error(one.del_attr(&PyUnicodeObject::from_str("b"))),
        "AttributeError: 'C' object has no attribute 'b'"
    );
    // Too many names, or a key that is no str: the dict takes over.
    for n in 0..40 {
        ok(one.set_attr_str(&format!("x{n}"), &i(n)));
    }
    assert!(instance::valid_inline_values(&one).is_none());
    assert_eq!(repr(&ok(one.get_attr_str("x39"))), "39");
    assert_eq!(repr(&ok(dict.get_item(&s("x0")))), "0");
    // The dict outlives its object.
    let kept = ok(two.get_attr_str("__dict__"));
    drop(two);
    assert_eq!(repr(&kept), "{'late': 3}");
    let three = ok(class.call0());
    ok(three.set_attr_str("a", &i(1)));
    ok(three.set_attr_str("__dict__", &kept));
    assert_eq!(repr(&ok(three.get_attr_str("late"))), "3");
    assert_eq!(
        error(three.get_attr_str("a")),
        "AttributeError: 'C' object has no attribute 'a'"
    );
    // A cycle through an attribute is found.
    let four = ok(class.call0());
    ok(four.set_attr_str("a", &four));
    let reference = ok(weakrefobject::new_ref(&four, None));
    drop(four);
    adder_runtime::memory::gc::collect(2);
    assert!(weakrefobject::referent(&reference).is_none());
}

fn lists() {
    let list = ints(0..10);
    let l = list.as_object();
    let slice = |start: i64, stop: i64, step: i64| {
        ok(PySliceObject::new_slice(
            Some(&i(start)),
            Some(&i(stop)),
            Some(&i(step)),
        ))
        .into_object()
    };
    assert_eq!(repr(&ok(l.get_item(&slice(8, 1, -3)))), "[8, 5, 2]");
    ok(l.set_item(&slice(0, 4, 1), ints([77]).as_object()));
    assert_eq!(repr(l), "[77, 4, 5, 6, 7, 8, 9]");
    ok(l.del_item(&slice(6, 0, -2)));
    assert_eq!(repr(l), "[77, 4, 6, 8]");
    assert_eq!(
        error(l.set_item(&slice(0, 3, 2), ints([1]).as_object())),
        "ValueError: attempt to assign sequence of size 1 to extended slice of size 2"
    );
    ok(l.set_item(&slice(3, 3, 1), l));
    assert_eq!(repr(l), "[77, 4, 6, 77, 4, 6, 8, 8]");
    assert_eq!(
        error(l.get_item(&s("x"))),
        "TypeError: list indices must be integers or slices, not str"
    );
    assert_eq!(error(l.get_item(&i(8))), "IndexError: list index out of range");
    assert_eq!(
        error(method(l, "remove", &[&i(99)])),
        "ValueError: list.remove(x): x not in list"
    );
    assert_eq!(error(list.repeat(isize::MAX)), "MemoryError: ");
    let sizes: Vec<usize> = {
        let grown = PyListObject::new();
        (0..20)
            .map(|n| {
                grown.push(i(n));
                40 + grown.ob_base_allocated() * 8
            })
            .collect()
    };
    assert_eq!(&sizes[..10], [72, 72, 72, 72, 104, 104, 104, 104, 168, 168]);
    let nested = PyListObject::new();
    nested.push(nested.to_object());
    assert_eq!(repr(nested.as_object()), "[[...]]");
    nested.clear_items();
    let iterator = ok(l.iter());
    ok(iterator.next());
    assert_eq!(ok(iterator.length_hint(0)), 7);
}

fn sorting() {
    let mut random = Random(7);
    for n in [0, 1, 2, 10, 63, 64, 65, 500, 3000] {
        for kind in 0..5 {
            let mut values: Vec<i64> = (0..n).map(|_| random.below(n as u64 / 2 + 1) as i64).collect();
            match kind {
                1 => values.sort(),
                2 => values.sort_by(|a, b| b.cmp(a)),
                3 => {
                    let half = values.len() / 2;
                    values[..half].sort();
                }
                _ => {}
            }
            let reverse = kind == 4;
            // Pairs compare by a slot, so that powersort does the work; the second part shows stability.
            let pairs = values
                .iter()
                .map(|v| PyTupleObject::from_vec(vec![i(*v)]).into_object());
            let list = PyListObject::from_vec(pairs.collect());
            let mut expected: Vec<(usize, i64)> = values.iter().copied().enumerate().collect();
            let before: Vec<*const PyObject> = list
                .as_slice()
                .iter()
                .map(|item| std::ptr::from_ref(*item))
                .collect();
            ok(list.sort(None, reverse));
            if reverse {
                expected.sort_by_key(|(_, v)| std::cmp::Reverse(*v));
            } else {
                expected.sort_by_key(|(_, v)| *v);
            }
            let got: Vec<*const PyObject> = list
                .as_slice()
                .iter()
                .map(|item| std::ptr::from_ref(*item))
                .collect();
            let wanted: Vec<*const PyObject> = expected.iter().map(|(at, _)| before[*at]).collect();
            assert!(got == wanted, "n = {n}, kind = {kind}");
            let plain = ints(values.iter().copied());
            ok(plain.sort(None, reverse));
            let wanted = ints(expected.iter().map(|(_, v)| *v));
            assert!(ok(plain
                .as_object()
                .compare_bool(wanted.as_object(), CompareOp::Eq)));
        }
    }
    let mixed = PyListObject::from_vec(vec![i(1), s("a")]);
    assert_eq!(
        error(mixed.sort(None, false)),
        "TypeError: '<' not supported between instances of 'str' and 'int'"
    );
    assert_eq!(repr(mixed.as_object()), "[1, 'a']");
}

fn tuples() {
    let hash = |items: Vec<Ref>| ok(PyTupleObject::from_vec(items).as_object().hash());
    assert_eq!(hash(vec![]), 5740354900026072187);
    assert_eq!(hash(vec![i(1)]), -6644214454873602895);
    assert_eq!(hash(vec![i(1), i(2), i(3)]), 529344067295497451);
    let tuple = PyTupleObject::from_vec(vec![i(1), s("a")]);
    assert!(!adder_runtime::memory::gc::is_tracked(tuple.as_ptr()));
    let tracked = PyTupleObject::from_vec(vec![ints([]).into_object()]);
    assert!(adder_runtime::memory::gc::is_tracked(tracked.as_ptr()));
    assert_eq!(repr(tuple.as_object()), "(1, 'a')");
    assert_eq!(repr(PyTupleObject::from_vec(vec![i(1)]).as_object()), "(1,)");
    assert!(ok(tuple.as_object().sequence_repeat(0)).is(PyTupleObject::empty().as_object()));
    assert_eq!(
        error(tuple.as_object().sequence_concat(ints([]).as_object())),
        "TypeError: can only concatenate tuple (not \"list\") to tuple"
    );
    let other = PyTupleObject::from_vec(vec![i(1), s("b")]);
    assert!(ok(tuple
        .as_object()
        .compare_bool(other.as_object(), CompareOp::Lt)));
}

fn sets() {
    let values: Vec<i64> = (0..40).map(|n| n * 7919 % 1000).collect();
    let set = PySetObject::new_set();
    ok(set.update(ints(values.iter().copied()).as_object()));
    let order =
        |set: &PySetObject| -> Vec<String> { ok(set.as_object().collect()).iter().map(repr).collect() };
    assert_eq!(
        order(&set).join(" "),
        include_str!("containers/set_order.txt").lines().next().unwrap()
    );
    for value in values.iter().step_by(3) {
        ok(set.discard(&i(*value)));
    }
    assert_eq!(
        order(&set).join(" "),
        include_str!("containers/set_order.txt").lines().nth(1).unwrap()
    );
    let more = PySetObject::new_set();
    ok(more.update(ints(5000..5020).as_object()));
    ok(set.update(more.as_object()));
    assert_eq!(
        order(&set).join(" "),
        include_str!("containers/set_order.txt").lines().nth(2).unwrap()
    );
    let frozen = |values: &PyObject| {
        let set = PySetObject::new_frozenset();
        ok(set.update(values));
        set
    };
    assert_eq!(
        ok(frozen(ints([]).as_object()).as_object().hash()),
        133146708735736
    );
    assert_eq!(
        ok(frozen(ints([1, 2, 3]).as_object()).as_object().hash()),
        -272375401224217160
    );
    assert_eq!(repr(frozen(ints([1]).as_object()).as_object()), "frozenset({1})");
    assert_eq!(repr(PySetObject::new_set().as_object()), "set()");
    assert_eq!(
        error(set.add(ints([]).as_object())),
        "TypeError: cannot use 'list' as a set element (unhashable type: 'list')"
    );
    let inner = PySetObject::new_set();
    ok(inner.add(frozen(ints([1, 2]).as_object()).as_object()));
    let plain = PySetObject::new_set();
    ok(plain.update(ints([2, 1]).as_object()));
    assert!(ok(inner.as_object().contains(plain.as_object())));
    let (a, b) = (frozen(ints(0..10).as_object()), frozen(ints(5..15).as_object()));
    assert_eq!(ok(a.intersection(b.as_object())).len(), 5);
    assert_eq!(ok(a.difference(b.as_object())).len(), 5);
    assert!(ok(a.as_object().rich_compare(b.as_object(), CompareOp::Le)).is(false_()));
}

fn weak_references() {
    let class = class("W", &[]);
    let object = ok(class.call0());
    let reference = ok(weakrefobject::new_ref(&object, None));
    let again = ok(weakrefobject::new_ref(&object, None));
    assert!(reference.is(&again));
    assert!(ok(reference.call0()).is(&object));
    let seen = ints([]);
    let append = ok(seen.as_object().get_attr_str("append"));
    let watched = ok(weakrefobject::new_ref(&object, Some(&append)));
    assert_eq!(weakrefobject::references(&object).len(), 2);
    drop(object);
    assert!(ok(reference.call0()).is(none()));
    assert!(seen.len() == 1 && seen.as_slice()[0].is(&watched));
    assert_eq!(
        error(weakrefobject::new_ref(&i(5), None)),
        "TypeError: cannot create weak reference to 'int' object"
    );
}

fn memoryviews() {
    let bytes = PyBytesObject::from_slice(&[1, 2, 3, 4, 5, 6, 7, 8]);
    let view = ok(PyMemoryViewObject::from_object(bytes.as_object())).into_object();
    assert_eq!(
        repr(&ok(method(&view, "tolist", &[]))),
        "[1, 2, 3, 4, 5, 6, 7, 8]"
    );
    let shape = ints([2, 4]);
    let square = ok(method(&view, "cast", &[&s("B"), shape.as_object()]));
    assert_eq!(
        repr(&ok(method(&square, "tolist", &[]))),
        "[[1, 2, 3, 4], [5, 6, 7, 8]]"
    );
    assert_eq!(
        repr(&ok(
            square.get_item(PyTupleObject::from_vec(vec![i(1), i(-1)]).as_object())
        )),
        "8"
    );
    let slice = ok(PySliceObject::new_slice(None, None, Some(&i(-3))));
    let stepped = ok(view.get_item(slice.as_object()));
    assert_eq!(repr(&ok(method(&stepped, "tobytes", &[]))), "b'\\x08\\x05\\x02'");
    assert_eq!(repr(&ok(stepped.get_attr_str("strides"))), "(-3,)");
    assert_eq!(
        error(view.set_item(&i(0), &i(1))),
        "TypeError: cannot modify read-only memory"
    );
    assert_eq!(ok(view.hash()), ok(bytes.as_object().hash()));
    let array = PyByteArrayObject::from_slice(&[0; 8]);
    let target = ok(PyMemoryViewObject::from_object(array.as_object())).into_object();
    let shorts = ok(method(&target, "cast", &[&s("h")]));
    ok(shorts.set_item(&i(1), &i(-2)));
    assert_eq!(
        repr(&ok(method(&target, "tolist", &[]))),
        "[0, 0, 254, 255, 0, 0, 0, 0]"
    );
    assert_eq!(
        error(shorts.set_item(&i(1), &i(1 << 20))),
        "ValueError: memoryview: invalid value for format 'h'"
    );
    ok(method(&target, "release", &[]));
    assert_eq!(
        error(method(&target, "tolist", &[])),
        "ValueError: operation forbidden on released memoryview object"
    );
    assert!(ok(view.compare_bool(bytes.as_object(), CompareOp::Eq)));
}

fn generic_aliases() {
    let list = PyListObject::type_object().as_object();
    let int = PyLongObject::type_object().as_object();
    let alias = ok(list.get_item(int));
    assert_eq!(repr(&alias), "list[int]");
    assert_eq!(repr(&ok(alias.call0())), "[]");
    assert_eq!(
        error(ints([]).as_object().is_instance(&alias)),
        "TypeError: isinstance() argument 2 cannot be a parameterized generic"
    );
    let union = ok(objects::unionobject::union_of(int, &alias));
    assert_eq!(repr(&union), "int | list[int]");
    assert_eq!(
        repr(&ok(objects::unionobject::union_of(&union, none()))),
        "int | list[int] | None"
    );
    assert!(ok(i(1).is_instance(&union)));
}

fn iterators() {
    let list = ints([5, 6, 7]);
    let enumerate = ok(objects::enumobject::PyEnum_Type
        .as_object()
        .call(&[list.as_object(), &i(1)]));
    let pairs = PyListObject::from_vec(ok(enumerate.collect()));
    assert_eq!(repr(pairs.as_object()), "[(1, 5), (2, 6), (3, 7)]");
    let huge = ok(adder_runtime::protocol::number::lshift(&i(1), &i(64)));
    let enumerate = ok(objects::enumobject::PyEnum_Type
        .as_object()
        .call(&[list.as_object(), &huge]));
    assert_eq!(repr(&ok(enumerate.next()).unwrap()), "(18446744073709551616, 5)");
    assert_eq!(repr(&ok(enumerate.next()).unwrap()), "(18446744073709551617, 6)");
    let text = s("abc");
    let reversed = ok(objects::enumobject::PyReversed_Type.as_object().call(&[&text]));
    assert_eq!(ok(reversed.length_hint(9)), 3);
    assert_eq!(
        repr(PyListObject::from_vec(ok(reversed.collect())).as_object()),
        "['c', 'b', 'a']"
    );
    assert_eq!(
        error(objects::enumobject::PyReversed_Type.as_object().call(&[&i(1)])),
        "TypeError: 'int' object is not reversible"
    );
    // Backwards over a list that shrinks.
    let backwards = ok(method(list.as_object(), "__reversed__", &[]));
    assert_eq!(repr(&ok(backwards.next()).unwrap()), "7");
    list.clear_items();
    assert!(ok(backwards.next()).is_none());
}

fn proxies() {
    let set = PySetObject::new_set();
    ok(set.update(ints([1, 2]).as_object()));
    let proxy = ok(weakrefobject::new_proxy(set.as_object(), None));
    assert_eq!(ok(proxy.len()), 2);
    assert!(ok(proxy.contains(&i(2))));
    ok(method(&proxy, "add", &[&i(3)]));
    assert_eq!(repr(set.as_object()), "{1, 2, 3}");
    let union = ok(adder_runtime::protocol::number::or(set.as_object(), &proxy));
    assert_eq!(repr(&union), "{1, 2, 3}");
    drop(union);
    drop(set);
    assert_eq!(
        error(proxy.len()),
        "ReferenceError: weakly-referenced object no longer exists"
    );
}

fn struct_sequences() {
    use objects::structseq::{Desc, Field, get_field, new_instance, new_type};
    let fields = [
        Field::new("x", "first"),
        Field::new("y", ""),
        Field::new("hidden", ""),
    ];
    let desc = Desc {
        name: "m.Point",
        doc: "a point",
        fields: &fields,
        n_in_sequence: 2,
        instantiable: true,
    };
    let ty = ok(new_type(&desc));
    let point = ok(new_instance(ty, vec![i(1), i(2), i(3)]));
    assert_eq!(repr(&point), "m.Point(x=1, y=2)");
    assert_eq!(repr(&ok(point.get_attr_str("hidden"))), "3");
    assert_eq!(ok(point.len()), 2);
    assert_eq!(repr(&get_field(&point, 2).unwrap()), "3");
    assert_eq!(repr(&ok(ty.as_object().get_attr_str("n_fields"))), "3");
    let made = ok(ty.as_object().call(&[ints([7, 8]).as_object()]));
    assert_eq!(repr(&ok(made.get_attr_str("hidden"))), "None");
    assert_eq!(
        error(ty.as_object().call(&[ints([7]).as_object()])),
        "TypeError: m.Point() takes an at least 2-sequence (1-sequence given)"
    );
    let replace = ok(point.get_attr_str("__replace__"));
    assert_eq!(
        repr(&ok(replace.call_kw(&[], &[("y", &i(9))]))),
        "m.Point(x=1, y=9)"
    );
    assert_eq!(
        error(replace.call_kw(&[], &[("z", &i(9))])),
        "TypeError: Got unexpected field name(s): ['z']"
    );
}

fn small_types() {
    let dict = ok(PyDictObject::from_pairs(&[(&s("a"), &i(1))]));
    let proxy = ok(objects::mappingproxy::mapping_proxy(dict.as_object()));
    assert_eq!(repr(&proxy), "mappingproxy({'a': 1})");
    assert_eq!(repr(&ok(proxy.get_item(&s("a")))), "1");
    assert_eq!(
        error(objects::mappingproxy::mapping_proxy(ints([]).as_object())),
        "TypeError: mappingproxy() argument must be a mapping, not list"
    );
    let namespace = ok(objects::namespaceobject::new_namespace(&dict));
    ok(namespace.set_attr_str("b", &namespace));
    assert_eq!(repr(&namespace), "namespace(a=1, b=namespace(...))");
    assert_eq!(
        error(namespace.get_attr_str("c")),
        "AttributeError: 'types.SimpleNamespace' object has no attribute 'c'"
    );
    ok(namespace.del_attr(&PyUnicodeObject::from_str("b")));
    let cell = PyCellObject::new(None);
    assert_eq!(
        error(cell.as_object().get_attr_str("cell_contents")),
        "ValueError: Cell is empty"
    );
    cell.set(Some(i(4)));
    assert_eq!(repr(&ok(cell.as_object().get_attr_str("cell_contents"))), "4");
    let frozen = ok(objects::setobject::PyFrozenSet_Type
        .as_object()
        .call(&[ints([3]).as_object()]));
    assert!(ok(method(&frozen, "copy", &[])).is(&frozen));
    assert_eq!(
        error(method(&frozen, "add", &[&i(1)])),
        "AttributeError: 'frozenset' object has no attribute 'add'"
    );
}
