#include "probe.h"

/* Parses `tuple` and gives back what C got, as a tuple. */
#define PARSED(tuple_format, tuple_args, names, parse, give)                                     \
    PyObject *tuple = Py_BuildValue tuple_args;                                                  \
    if (tuple == NULL)                                                                           \
        return NULL;                                                                             \
    names;                                                                                       \
    PyObject *result = NULL;                                                                     \
    if (parse)                                                                                   \
        result = give;                                                                           \
    Py_DECREF(tuple);                                                                            \
    return result;

PROBE(ints)
{
    PARSED("", ("(iiiiiiiiii)", 200, -3, 70000, -5, 7, -8, 9, -10, 11, 12),
           unsigned char b; short h; unsigned short H; int i; unsigned int I; long l; unsigned long k; long long L; unsigned long long K;
           Py_ssize_t n,
           PyArg_ParseTuple(tuple, "bhHiIlkLKn:ints", &b, &h, &H, &i, &I, &l, &k, &L, &K, &n),
           Py_BuildValue("(iiiiIlkLKn)", b, h, H, i, I, l, k, L, K, n))
}
PROBE(int_too_big) { PARSED("", ("(L)", 1LL << 40), int i, PyArg_ParseTuple(tuple, "i:f", &i), Py_BuildValue("i", i)) }
PROBE(byte_negative) { PARSED("", ("(i)", -1), unsigned char i, PyArg_ParseTuple(tuple, "b:f", &i), Py_BuildValue("i", i)) }
PROBE(byte_large) { PARSED("", ("(i)", 256), unsigned char i, PyArg_ParseTuple(tuple, "b:f", &i), Py_BuildValue("i", i)) }
PROBE(short_large) { PARSED("", ("(i)", 40000), short i, PyArg_ParseTuple(tuple, "h:f", &i), Py_BuildValue("i", i)) }
PROBE(int_from_str) { PARSED("", ("(s)", "x"), int i, PyArg_ParseTuple(tuple, "i:f", &i), Py_BuildValue("i", i)) }
PROBE(int_from_float) { PARSED("", ("(d)", 1.5), int i, PyArg_ParseTuple(tuple, "i", &i), Py_BuildValue("i", i)) }
PROBE(ulong_from_str) { PARSED("", ("(s)", "x"), unsigned long i, PyArg_ParseTuple(tuple, "k:f", &i), Py_BuildValue("k", i)) }
PROBE(floats)
{
    PARSED("", ("(did)", 1.5, 2, 3.25), float f; double d; double e, PyArg_ParseTuple(tuple, "fdd", &f, &d, &e),
           Py_BuildValue("(ddd)", f, d, e))
}
PROBE(float_from_str) { PARSED("", ("(s)", "1"), double d, PyArg_ParseTuple(tuple, "d:f", &d), Py_BuildValue("d", d)) }
PROBE(complex)
{
    PARSED("", ("(d)", 2.0), Py_complex c, PyArg_ParseTuple(tuple, "D", &c), Py_BuildValue("D", &c))
}
PROBE(strings)
{
    PARSED("", ("(szzs)", "one", "two", NULL, "caf\xc3\xa9"), const char *a; const char *b; const char *c; const char *d; Py_ssize_t n,
           PyArg_ParseTuple(tuple, "szzs#", &a, &b, &c, &d, &n), Py_BuildValue("(sszsn)", a, b, c, d, n))
}
PROBE(string_from_none) { PARSED("", ("(O)", Py_None), const char *a, PyArg_ParseTuple(tuple, "s:f", &a), Py_BuildValue("s", a)) }
PROBE(string_from_int) { PARSED("", ("(i)", 1), const char *a, PyArg_ParseTuple(tuple, "z:f", &a), Py_BuildValue("s", a)) }
PROBE(string_with_null)
{
    PARSED("", ("(s#)", "a\0b", (Py_ssize_t)3), const char *a, PyArg_ParseTuple(tuple, "s:f", &a), Py_BuildValue("s", a))
}
PROBE(bytes)
{
    PARSED("", ("(yyy)", "one", "two", "3"), const char *a; const char *b; Py_ssize_t n; char c,
           PyArg_ParseTuple(tuple, "yy#c", &a, &b, &n, &c), Py_BuildValue("(yync)", a, b, n, c))
}
PROBE(bytes_from_str) { PARSED("", ("(s)", "x"), const char *a, PyArg_ParseTuple(tuple, "y:f", &a), Py_BuildValue("y", a)) }
PROBE(byte_from_two) { PARSED("", ("(y)", "xy"), char a, PyArg_ParseTuple(tuple, "c:f", &a), Py_BuildValue("c", a)) }
PROBE(char_from_two) { PARSED("", ("(s)", "xy"), int a, PyArg_ParseTuple(tuple, "C:f", &a), Py_BuildValue("C", a)) }
PROBE(buffers)
{
    PyObject *tuple = Py_BuildValue("(sy)", "text", "bytes");
    Py_buffer a, b;
    PyObject *result = NULL;
    if (PyArg_ParseTuple(tuple, "s*y*", &a, &b)) {
        result = Py_BuildValue("(y#y#ii)", a.buf, a.len, b.buf, b.len, a.readonly, b.ndim);
        PyBuffer_Release(&a);
        PyBuffer_Release(&b);
    }
    Py_DECREF(tuple);
    return result;
}
PROBE(buffer_from_int) { PARSED("", ("(i)", 1), Py_buffer a, PyArg_ParseTuple(tuple, "y*:f", &a), Py_BuildValue("i", 0)) }
PROBE(writable_from_bytes) { PARSED("", ("(y)", "x"), Py_buffer a, PyArg_ParseTuple(tuple, "w*:f", &a), Py_BuildValue("i", 0)) }
PROBE(objects)
{
    PARSED("", ("(s[i]yO)", "a", 1, "b", Py_True), PyObject *a; PyObject *b; PyObject *c; int p,
           PyArg_ParseTuple(tuple, "UO!Sp", &a, &PyList_Type, &b, &c, &p), Py_BuildValue("(OOOi)", a, b, c, p))
}
PROBE(object_of_type) { PARSED("", ("(i)", 1), PyObject *a, PyArg_ParseTuple(tuple, "O!:f", &PyDict_Type, &a), Py_BuildValue("O", a)) }
PROBE(str_object) { PARSED("", ("(i)", 1), PyObject *a, PyArg_ParseTuple(tuple, "U:f", &a), Py_BuildValue("O", a)) }

static int convert(PyObject *object, void *place)
{
    if (object == Py_None) {
        PyErr_SetString(PyExc_LookupError, "none given");
        return 0;
    }
    if (object == Py_False)
        return 0;
    *(long *)place = PyLong_AsLong(object) * 2;
    return 1;
}
PROBE(converter) { PARSED("", ("(i)", 21), long a, PyArg_ParseTuple(tuple, "O&", convert, &a), Py_BuildValue("l", a)) }
PROBE(converter_raises) { PARSED("", ("(O)", Py_None), long a, PyArg_ParseTuple(tuple, "O&:f", convert, &a), Py_BuildValue("l", a)) }
PROBE(converter_refuses) { PARSED("", ("(O)", Py_False), long a, PyArg_ParseTuple(tuple, "O&:f", convert, &a), Py_BuildValue("l", a)) }
PROBE(encoded)
{
    PyObject *tuple = Py_BuildValue("(ss)", "caf\xc3\xa9", "x");
    char *a = NULL, *b = NULL;
    Py_ssize_t n;
    PyObject *result = NULL;
    if (PyArg_ParseTuple(tuple, "eset#", "utf-8", &a, "utf-8", &b, &n)) {
        result = Py_BuildValue("(yy#)", a, b, n);
        PyMem_Free(a);
        PyMem_Free(b);
    }
    Py_DECREF(tuple);
    return result;
}
PROBE(nested)
{
    PARSED("", ("(i(ii)i)", 1, 2, 3, 4), int a; int b; int c; int d, PyArg_ParseTuple(tuple, "i(ii)i", &a, &b, &c, &d),
           Py_BuildValue("(iiii)", a, b, c, d))
}
PROBE(nested_short) { PARSED("", ("(i(i))", 1, 2), int a; int b; int c, PyArg_ParseTuple(tuple, "i(ii):f", &a, &b, &c), Py_BuildValue("i", a)) }
PROBE(nested_wrong) { PARSED("", ("(ii)", 1, 2), int a; int b; int c, PyArg_ParseTuple(tuple, "i(ii):f", &a, &b, &c), Py_BuildValue("i", a)) }
PROBE(nested_item) { PARSED("", ("(i(is))", 1, 2, "x"), int a; int b; int c, PyArg_ParseTuple(tuple, "i(ii):f", &a, &b, &c), Py_BuildValue("i", a)) }
PROBE(optional)
{
    PARSED("", ("(i)", 1), int a; int b = -1; const char *c = "default", PyArg_ParseTuple(tuple, "i|is:f", &a, &b, &c),
           Py_BuildValue("(iis)", a, b, c))
}
PROBE(too_few) { PARSED("", ("()"), int a; int b, PyArg_ParseTuple(tuple, "ii:f", &a, &b), Py_BuildValue("i", a)) }
PROBE(too_few_optional) { PARSED("", ("()"), int a; int b, PyArg_ParseTuple(tuple, "i|i:f", &a, &b), Py_BuildValue("i", a)) }
PROBE(too_many) { PARSED("", ("(iii)", 1, 2, 3), int a; int b, PyArg_ParseTuple(tuple, "i|i:f", &a, &b), Py_BuildValue("i", a)) }
PROBE(none_wanted) { PARSED("", ("(i)", 1), int a, PyArg_ParseTuple(tuple, ":f"), Py_BuildValue("i", 0)) }
PROBE(own_message) { PARSED("", ("(s)", "x"), int a, PyArg_ParseTuple(tuple, "i;wants a number", &a), Py_BuildValue("i", a)) }
PROBE(own_message_count) { PARSED("", ("()"), int a, PyArg_ParseTuple(tuple, "i;wants a number", &a), Py_BuildValue("i", a)) }
PROBE(one) { int a; PyObject *n = PyLong_FromLong(5); int ok = PyArg_Parse(n, "i", &a); Py_DECREF(n); return ok ? PyLong_FromLong(a) : NULL; }
PROBE(one_wrong) { int a; PyObject *n = PyUnicode_FromString("x"); int ok = PyArg_Parse(n, "i", &a); Py_DECREF(n); return ok ? PyLong_FromLong(a) : NULL; }

static PyObject *keywords(PyObject *args, PyObject *kwargs, const char *format)
{
    static char *names[] = {"first", "second", "third", NULL};
    int first = -1, second = -1, third = -1;
    PyObject *result = NULL;
    if (PyArg_ParseTupleAndKeywords(args, kwargs, format, names, &first, &second, &third))
        result = Py_BuildValue("(iii)", first, second, third);
    Py_XDECREF(args);
    Py_XDECREF(kwargs);
    return result;
}
PROBE(kw_all) { return keywords(Py_BuildValue("(i)", 1), Py_BuildValue("{si,si}", "third", 3, "second", 2), "iii:f"); }
PROBE(kw_optional) { return keywords(Py_BuildValue("(i)", 1), Py_BuildValue("{si}", "third", 3), "i|ii:f"); }
PROBE(kw_missing) { return keywords(Py_BuildValue("()"), Py_BuildValue("{si}", "third", 3), "i|ii:f"); }
PROBE(kw_twice) { return keywords(Py_BuildValue("(i)", 1), Py_BuildValue("{si}", "first", 3), "i|ii:f"); }
PROBE(kw_unknown) { return keywords(Py_BuildValue("(i)", 1), Py_BuildValue("{si}", "fourth", 3), "i|ii:f"); }
PROBE(kw_unknown_nameless) { return keywords(Py_BuildValue("(i)", 1), Py_BuildValue("{si}", "fourth", 3), "i|ii"); }
PROBE(kw_too_many) { return keywords(Py_BuildValue("(iiii)", 1, 2, 3, 4), NULL, "i|ii:f"); }
PROBE(kw_too_many_both) { return keywords(Py_BuildValue("(iii)", 1, 2, 3), Py_BuildValue("{si}", "x", 1), "i|ii:f"); }
PROBE(kw_only) { return keywords(Py_BuildValue("(i)", 1), Py_BuildValue("{si}", "third", 3), "i|$ii:f"); }
PROBE(kw_only_positional) { return keywords(Py_BuildValue("(ii)", 1, 2), NULL, "i|$ii:f"); }
PROBE(kw_wrong_type) { return keywords(Py_BuildValue("(i)", 1), Py_BuildValue("{ss}", "third", "x"), "i|ii:f"); }

PROBE(unpack)
{
    PyObject *tuple = Py_BuildValue("(ii)", 1, 2), *a = NULL, *b = NULL, *c = NULL, *result = NULL;
    if (PyArg_UnpackTuple(tuple, "f", 1, 3, &a, &b, &c))
        result = Py_BuildValue("(OOi)", a, b, c == NULL);
    Py_DECREF(tuple);
    return result;
}
PROBE(unpack_few) { PyObject *tuple = Py_BuildValue("()"), *a; int ok = PyArg_UnpackTuple(tuple, "f", 1, 1, &a); Py_DECREF(tuple); return ok ? Py_None : NULL; }
PROBE(unpack_many) { PyObject *tuple = Py_BuildValue("(ii)", 1, 2), *a; int ok = PyArg_UnpackTuple(tuple, NULL, 0, 1, &a); Py_DECREF(tuple); return ok ? Py_None : NULL; }

PROBE(build)
{
    return Py_BuildValue("{s:i,s:[d,s#],s:(),s:N}c(y#)CbOO", "one", 1, "two", 2.5, "texted", (Py_ssize_t)4, "three", "four",
                         PyLong_FromLong(4), 'z', "\0x", (Py_ssize_t)2, 0x1f40d, 200, Py_None, Py_Ellipsis);
}
PROBE(build_none) { return Py_BuildValue(""); }
PROBE(build_one) { return Py_BuildValue("i", 3); }
PROBE(build_null) { return Py_BuildValue("(zsO)", NULL, "x", Py_None); }
PROBE(build_bad) { return Py_BuildValue("(iQ)", 1, 2); }
PROBE(build_unmatched) { return Py_BuildValue("(i", 1); }
PROBE(call_function)
{
    return PyObject_CallFunction((PyObject *)&PyList_Type, "((iii))", 3, 1, 2);
}
PROBE(call_function_tuple) { return PyObject_CallFunction((PyObject *)&PyTuple_Type, "(s)", "abc"); }
PROBE(call_method)
{
    PyObject *text = PyUnicode_FromString("a-b-c");
    PyObject *result = PyObject_CallMethod(text, "replace", "ssi", "-", "+", 1);
    Py_DECREF(text);
    return result;
}
PROBE(call_obj_args)
{
    PyObject *a = PyUnicode_FromString("x,y"), *b = PyUnicode_FromString(","), *name = PyUnicode_FromString("split");
    PyObject *result = PyObject_CallMethodObjArgs(a, name, b, NULL);
    Py_DECREF(a);
    Py_DECREF(b);
    Py_DECREF(name);
    return result;
}
PROBE(pack) { return PyTuple_Pack(3, Py_None, Py_True, Py_Ellipsis); }

static PyMethodDef rows[] = {
    ROW(ints), ROW(int_too_big), ROW(byte_negative), ROW(byte_large), ROW(short_large), ROW(int_from_str), ROW(int_from_float), ROW(ulong_from_str),
    ROW(floats), ROW(float_from_str), ROW(complex), ROW(strings), ROW(string_from_none), ROW(string_from_int), ROW(string_with_null),
    ROW(bytes), ROW(bytes_from_str), ROW(byte_from_two), ROW(char_from_two), ROW(buffers), ROW(buffer_from_int), ROW(writable_from_bytes),
    ROW(objects), ROW(object_of_type), ROW(str_object), ROW(converter), ROW(converter_raises), ROW(converter_refuses), ROW(encoded),
    ROW(nested), ROW(nested_short), ROW(nested_wrong), ROW(nested_item), ROW(optional), ROW(too_few), ROW(too_few_optional), ROW(too_many),
    ROW(none_wanted), ROW(own_message), ROW(own_message_count), ROW(one), ROW(one_wrong), ROW(kw_all), ROW(kw_optional), ROW(kw_missing),
    ROW(kw_twice), ROW(kw_unknown), ROW(kw_unknown_nameless), ROW(kw_too_many), ROW(kw_too_many_both), ROW(kw_only),
    ROW(kw_only_positional), ROW(kw_wrong_type), ROW(unpack), ROW(unpack_few), ROW(unpack_many), ROW(build), ROW(build_none),
    ROW(build_one), ROW(build_null), ROW(build_bad), ROW(build_unmatched), ROW(call_function), ROW(call_function_tuple),
    ROW(call_method), ROW(call_obj_args), ROW(pack), {NULL}};
MODULE(c_args)
