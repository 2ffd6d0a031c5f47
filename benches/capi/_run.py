"""Times the functions of boundary.c. Prints one line of JSON: name to ns."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import _measure
import boundary
from _measure import shortest, statement

_measure.reference = boundary.reference
times = {}


class Plain:
    attribute = None

    def __init__(self):
        self.attribute = 1

    def method(self):
        pass


def callback():
    pass


def callback_one(value):
    return value


def call(name, text, **names):
    times[name] = statement(text, names)


def repeat(name, function, *args):
    times[name] = shortest(lambda n: function(n, *args))


def per_item(name, function, argument, n_items):
    def run(n):
        for _ in range(n):
            function(argument)

    times[name] = shortest(run) / n_items


point = boundary.Point()
point.object = fresh = []
call("METH_NOARGS", "f()", f=boundary.noargs)
call("METH_O, identity", "f(x)", f=boundary.identity, x=fresh)
call("METH_O, int to int", "f(x)", f=boundary.inc, x=100000)
call("METH_FASTCALL, three ints", "f(1, 2, 3)", f=boundary.three_ints)
call("METH_FASTCALL|KEYWORDS", "f(1, b=2)", f=boundary.fast_keywords)
call("PyArg_ParseTuple", "f(1, 2, 3.5)", f=boundary.parse_tuple)
call("PyArg_ParseTupleAndKeywords, positional", "f(1, 2, 3)", f=boundary.parse_keywords)
call("PyArg_ParseTupleAndKeywords, keywords", "f(1, second=2, third=3)", f=boundary.parse_keywords)
call("Py_BuildValue", "f()", f=boundary.build_value)
call("module attribute and call", "m.noargs()", m=boundary)
call("method, METH_NOARGS", "p.method()", p=point)
call("getter", "p.getter", p=point)
call("member, long", "p.member", p=point)
call("member, object", "p.object", p=point)
call("member, store", "p.member = 5", p=point)
call("tp_new and tp_dealloc", "f()", f=boundary.Point)
call("nb_add", "p + p", p=point)
call("sq_item", "p[1]", p=point)
call("len", "f(p)", f=len, p=point)
call("raise and catch", "\n        try: f()\n        except ValueError: pass", f=boundary.raise_error)
per_item("PyList_GetItem, PyLong_AsLong (each)", boundary.list_sum, list(range(1000)), 1000)
per_item("list of ints (each)", boundary.list_build, 1000, 1000)
per_item("PyList_Append (each)", boundary.list_append, 1000, 1000)
per_item("PyTuple_Pack (each)", boundary.tuple_build, 1000, 1000)
per_item("PyFloat_FromDouble (each)", boundary.float_build, 1000, 1000)
per_item("PyIter_Next over a list (each)", boundary.iterate, list(range(1000)), 1000)
per_item("PyIter_Next over a dict (each)", boundary.iterate, dict.fromkeys(range(1000)), 1000)
repeat("Python function, PyObject_CallNoArgs", boundary.call_noargs, callback)
repeat("Python function, PyObject_CallOneArg", boundary.call_one, callback_one, 1)
repeat("Python function, PyObject_CallFunction", boundary.call_format, callback_one, 1)
repeat("Python method, PyObject_CallMethodNoArgs", boundary.call_method, Plain(), "method")
repeat("C function, PyObject_CallNoArgs", boundary.call_noargs, boundary.noargs)
repeat("class, PyObject_CallNoArgs", boundary.call_noargs, Plain)
repeat("PyObject_GetAttr, instance", boundary.get_attr, Plain(), "attribute")
repeat("PyObject_GetAttr, method", boundary.get_attr, Plain(), "method")
repeat("PyObject_GetAttr, module", boundary.get_attr, boundary, "noargs")
repeat("PyObject_GetAttr, C getter", boundary.get_attr, point, "getter")
repeat("PyObject_GetAttrString", boundary.get_attr_string, Plain())
repeat("PyObject_SetAttr", boundary.set_attr, Plain(), "attribute")
repeat("PyDict_GetItemWithError", boundary.dict_get, {"a": 1, "b": 2}, "b")
repeat("PyDict_SetItem", boundary.dict_set, {"a": 1, "b": 2}, "b")
repeat("PyObject_GetItem, list", boundary.get_item, [1, 2, 3], 1)
repeat("PyObject_GetItem, dict", boundary.get_item, {1: 2}, 1)
repeat("PyNumber_Add, ints", boundary.number_add, 70000, 80000)
repeat("PyNumber_Add, floats", boundary.number_add, 1.5, 2.5)
repeat("PyObject_RichCompareBool, ints", boundary.compare, 70000, 80000)
repeat("PyUnicode_FromString", boundary.text_build)
repeat("PyUnicode_AsUTF8AndSize", boundary.text_utf8, "some text")
repeat("PyBytes_FromStringAndSize", boundary.bytes_build)
repeat("PyErr_SetString, PyErr_Clear", boundary.raise_clear)
repeat("PyObject_IsInstance", boundary.is_instance, Plain(), Plain)
repeat("PyEval_SaveThread, RestoreThread", boundary.gil)
repeat("PyGILState_Ensure, Release", boundary.ensure)
repeat("PyObject_GetBuffer, bytes", boundary.buffer, b"abc")
repeat("PyMem_Malloc, PyMem_Free", boundary.memory)
print(json.dumps(times))
