#include "probe.h"

PROBE(unicode_ints)
{
    return PyUnicode_FromFormat("%d|%5d|%-5d|%05d|%.3d|%i|%u|%x|%X|%o|%ld|%lld|%zd|%zu|%lu|%jd|%td|%%|%*d",
                                -7, 42, 42, -42, 7, 8, 9u, 255u, 255u, 8u, -5L, -6LL, (Py_ssize_t)-7, (size_t)8, 9UL,
                                (intmax_t)-3, (ptrdiff_t)4, 6, 12);
}
PROBE(unicode_text)
{
    return PyUnicode_FromFormat("%s|%10s|%-10s|%.2s|%5.2s|%c|", "caf\xc3\xa9", "ab", "ab", "abcdef", "xyz", 0x1f40d);
}
PROBE(unicode_cut) { return PyUnicode_FromFormat("%.4s|%.5s|%s", "caf\xc3\xa9", "caf\xc3\xa9", "bad\xff!"); }
PROBE(unicode_objects)
{
    PyObject *text = PyUnicode_FromString("h\xc3\xa9llo");
    PyObject *result = PyUnicode_FromFormat("%U|%8U|%.2U|%V|%V|%S|%R|%A|%T|%#T|%N|%-9S|", text, text, text, text, "no", NULL,
                                            "yes", text, text, text, text, text, &PyLong_Type, text);
    Py_DECREF(text);
    return result;
}
PROBE(unicode_wide) { return PyUnicode_FromFormat("%ls|%.2ls|%10ls", L"wide\x03bb", L"wide", L"w"); }
PROBE(unicode_bad) { return PyUnicode_FromFormat("a %y b", 1); }
PROBE(unicode_bad_end) { return PyUnicode_FromFormat("a %"); }
PROBE(unicode_wide_char) { return PyUnicode_FromFormat("%4c|", 65); }
PROBE(unicode_bad_char) { return PyUnicode_FromFormat("%c", 0x110000); }
PROBE(unicode_not_ascii) { return PyUnicode_FromFormat("caf\xc3\xa9 %d", 1); }
PROBE(bytes_all)
{
    return PyBytes_FromFormat("%d|%ld|%zd|%u|%lu|%zu|%i|%x|%c|%s|%.2s|%%|", -1, -2L, (Py_ssize_t)-3, 4u, 5UL, (size_t)6, 7, 255, 'z',
                              "text", "cut");
}
PROBE(bytes_unknown) { return PyBytes_FromFormat("a%d %y b %d", 1, 2); }
PROBE(bytes_bad_char) { return PyBytes_FromFormat("%c", 256); }
PROBE(err_format) { return PyErr_Format(PyExc_ValueError, "%s is %d%%, not %R", "it", 3, Py_None); }
PROBE(err_format_key) { return PyErr_Format(PyExc_KeyError, "key %s", "k"); }
PROBE(snprintf_cut)
{
    char text[8];
    int n = PyOS_snprintf(text, sizeof text, "%s-%d", "abcdefgh", 12);
    return Py_BuildValue("is", n, text);
}
PROBE(doubles)
{
    int kind;
    char *a = PyOS_double_to_string(1.5, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
    char *b = PyOS_double_to_string(1234567.891, 'g', 4, 0, NULL);
    char *c = PyOS_double_to_string(2.0, 'f', 3, Py_DTSF_SIGN, &kind);
    char *d = PyOS_double_to_string(Py_HUGE_VAL, 'r', 0, 0, NULL);
    PyObject *result = Py_BuildValue("ssssi", a, b, c, d, kind);
    PyMem_Free(a);
    PyMem_Free(b);
    PyMem_Free(c);
    PyMem_Free(d);
    return result;
}
PROBE(parse_double)
{
    char *end;
    double value = PyOS_string_to_double("1.5e3xyz", &end, NULL);
    return Py_BuildValue("ds", value, end);
}
PROBE(parse_double_bad)
{
    double value = PyOS_string_to_double("1.5x", NULL, NULL);
    if (value == -1.0 && PyErr_Occurred())
        return NULL;
    return PyFloat_FromDouble(value);
}
PROBE(parse_double_overflow)
{
    double value = PyOS_string_to_double("1e999", NULL, PyExc_OverflowError);
    if (value == -1.0 && PyErr_Occurred())
        return NULL;
    return PyFloat_FromDouble(value);
}

static PyMethodDef rows[] = {ROW(unicode_ints), ROW(unicode_text), ROW(unicode_cut), ROW(unicode_objects), ROW(unicode_wide),
                             ROW(unicode_bad), ROW(unicode_bad_end), ROW(unicode_bad_char), ROW(unicode_wide_char), ROW(unicode_not_ascii), ROW(bytes_all),
                             ROW(bytes_unknown), ROW(bytes_bad_char), ROW(err_format), ROW(err_format_key), ROW(snprintf_cut),
                             ROW(doubles), ROW(parse_double), ROW(parse_double_bad), ROW(parse_double_overflow), {NULL}};
MODULE(c_format)
