#include "probe.h"

/* Integers, floats, strings, bytes, buffers. */
#define OBJ(format, ...) Py_BuildValue(format, __VA_ARGS__)
static PyObject *big(int bits, int minus)
{
    PyObject *one = PyLong_FromLong(1), *shift = PyLong_FromLong(bits);
    PyObject *value = PyNumber_Lshift(one, shift);
    return minus ? PyNumber_Negative(value) : value;
}

PROBE(long_roundtrip)
{
    return Py_BuildValue("(NNNNNNN)", PyLong_FromLong(LONG_MIN), PyLong_FromUnsignedLongLong(ULLONG_MAX), PyLong_FromSize_t(7),
                         PyLong_FromDouble(1e20), PyLong_FromVoidPtr((void *)0x1000), PyLong_FromString("-0x_ff", NULL, 0), PyBool_FromLong(5));
}
PROBE(long_as)
{
    int overflow;
    long long clipped = PyLong_AsLongLongAndOverflow(big(70, 1), &overflow);
    return Py_BuildValue("(lLkKiLid)", PyLong_AsLong(OBJ("i", -5)), PyLong_AsLongLong(OBJ("i", 6)), PyLong_AsUnsignedLong(OBJ("i", 7)),
                         PyLong_AsUnsignedLongLongMask(big(70, 1)), PyLong_AsInt(OBJ("i", 8)), clipped, overflow, PyLong_AsDouble(big(70, 0)));
}
PROBE(long_mask) { return PyLong_FromUnsignedLongLong(PyLong_AsUnsignedLongLongMask(PyNumber_Add(big(64, 1), OBJ("i", -2)))); }
PROBE(long_too_big) { long v = PyLong_AsLong(big(70, 0)); return v == -1 && PyErr_Occurred() ? NULL : PyLong_FromLong(v); }
PROBE(long_long_too_big) { long long v = PyLong_AsLongLong(big(70, 0)); return v == -1 && PyErr_Occurred() ? NULL : PyLong_FromLong(v); }
PROBE(long_negative) { unsigned long v = PyLong_AsUnsignedLong(OBJ("i", -1)); return v == -1 && PyErr_Occurred() ? NULL : PyLong_FromLong(v); }
PROBE(long_unsigned_wrong) { unsigned long v = PyLong_AsUnsignedLong(OBJ("s", "x")); return v == -1 && PyErr_Occurred() ? NULL : PyLong_FromLong(v); }
PROBE(long_ssize_wrong) { Py_ssize_t v = PyLong_AsSsize_t(OBJ("d", 1.5)); return v == -1 && PyErr_Occurred() ? NULL : PyLong_FromLong(v); }
PROBE(long_uint32) { uint32_t v; return PyLong_AsUInt32(OBJ("i", -1), &v) < 0 ? NULL : PyLong_FromLong(v); }
PROBE(long_int32) { int32_t v; return PyLong_AsInt32(big(40, 0), &v) < 0 ? NULL : PyLong_FromLong(v); }
PROBE(long_from_string_bad) { return PyLong_FromString("12z", NULL, 10); }
PROBE(long_from_string_end) { char *end; PyObject *v = PyLong_FromString("12z", &end, 10); PyErr_Clear(); return v ? Py_BuildValue("Ns", v, end) : PyUnicode_FromString("NULL"); }
PROBE(long_native)
{
    unsigned char bytes[12];
    Py_ssize_t n[6];
    n[0] = PyLong_AsNativeBytes(OBJ("i", 255), bytes, 1, -1);
    n[1] = PyLong_AsNativeBytes(OBJ("i", 256), bytes, 1, -1);
    n[2] = PyLong_AsNativeBytes(OBJ("i", -128), bytes, 1, -1);
    n[3] = PyLong_AsNativeBytes(OBJ("i", 0), bytes, 0, -1);
    n[4] = PyLong_AsNativeBytes(big(70, 0), bytes, 12, Py_ASNATIVEBYTES_BIG_ENDIAN);
    PyObject *raw = PyBytes_FromStringAndSize((char *)bytes, 12);
    n[5] = PyLong_AsNativeBytes(OBJ("i", -1), bytes, 8, Py_ASNATIVEBYTES_LITTLE_ENDIAN);
    return Py_BuildValue("(nnnnnnNNN)", n[0], n[1], n[2], n[3], n[4], n[5], raw, PyLong_FromNativeBytes(bytes, 8, Py_ASNATIVEBYTES_LITTLE_ENDIAN),
                         PyLong_FromUnsignedNativeBytes(bytes, 2, -1));
}
PROBE(long_export)
{
    PyLongExport e;
    if (PyLong_Export(big(70, 1), &e) < 0)
        return NULL;
    PyObject *result = Py_BuildValue("(inI)", e.negative, e.ndigits, ((uint32_t *)e.digits)[2]);
    PyLong_FreeExport(&e);
    uint32_t *digits;
    PyLongWriter *writer = PyLongWriter_Create(1, 3, (void **)&digits);
    digits[0] = 1;
    digits[1] = 2;
    digits[2] = 0;
    return Py_BuildValue("(NN)", result, PyLongWriter_Finish(writer));
}
PROBE(long_sign) { int s; PyLong_GetSign(big(90, 1), &s); return Py_BuildValue("(iiii)", s, PyLong_IsZero(Py_False), PyLong_IsNegative(big(80, 1)), PyLong_IsPositive(Py_True)); }
PROBE(floats)
{
    char packed[8];
    PyFloat_Pack8(1.5, packed, 0);
    double eight = PyFloat_Unpack8(packed, 0);
    PyFloat_Pack2(0.1, packed, 1);
    double half = PyFloat_Unpack2(packed, 1);
    PyFloat_Pack4(0.1, packed, 1);
    return Py_BuildValue("(dddNd)", eight, half, PyFloat_Unpack4(packed, 1), PyFloat_FromString(OBJ("s", " 1e3 ")), PyFloat_AsDouble(OBJ("i", 3)));
}
PROBE(float_wrong) { double v = PyFloat_AsDouble(OBJ("s", "x")); return v == -1.0 && PyErr_Occurred() ? NULL : PyFloat_FromDouble(v); }
PROBE(float_pack_big) { char b[4]; return PyFloat_Pack4(1e300, b, 1) < 0 ? NULL : Py_NewRef(Py_None); }
PROBE(complex_parts) { Py_complex c = PyComplex_AsCComplex(OBJ("d", 2.5)); Py_complex d = {1, -1}; return Py_BuildValue("(ddNN)", c.real, c.imag, PyComplex_FromCComplex(_Py_c_prod(d, d)), PyComplex_FromCComplex(_Py_c_quot(c, d))); }

PROBE(str_make)
{
    Py_UCS2 two[] = {0x41, 0x3bb};
    PyObject *filled = PyUnicode_New(3, 0x10ffff);
    PyUnicode_WriteChar(filled, 0, 'a');
    PyUnicode_WriteChar(filled, 1, 0x1f40d);
    PyUnicode_WriteChar(filled, 2, 'c');
    return Py_BuildValue("(NNNNNN)", PyUnicode_FromStringAndSize("caf\xc3\xa9", 5), PyUnicode_FromKindAndData(2, two, 2), filled,
                         PyUnicode_FromOrdinal(0x20ac), PyUnicode_FromWideChar(L"w\x3bb", -1), PyUnicode_InternFromString("interned"));
}
PROBE(str_bad_utf8) { return PyUnicode_FromString("a\xff"); }
PROBE(str_ordinal) { return PyUnicode_FromOrdinal(-5); }
PROBE(str_kinds)
{
    PyObject *a = OBJ("s", "abc"), *b = OBJ("s", "\xc3\xa9"), *c = OBJ("s", "\xce\xbb"), *d = OBJ("s", "\xf0\x9f\x90\x8d");
    return Py_BuildValue("(iiiiiiI)", PyUnicode_KIND(a), PyUnicode_KIND(b), PyUnicode_KIND(c), PyUnicode_KIND(d), PyUnicode_IS_ASCII(a),
                         PyUnicode_IS_COMPACT(d), PyUnicode_READ_CHAR(d, 0));
}
PROBE(str_utf8)
{
    Py_ssize_t n;
    PyObject *text = OBJ("s", "caf\xc3\xa9\xf0\x9f\x90\x8d");
    const char *utf8 = PyUnicode_AsUTF8AndSize(text, &n);
    return Py_BuildValue("(ynNNN)", utf8, n, PyUnicode_AsUTF8String(text), PyUnicode_AsEncodedString(text, "ascii", "replace"),
                         PyUnicode_AsEncodedString(text, "utf-8", NULL));
}
PROBE(str_ascii_wrong) { return PyUnicode_AsASCIIString(OBJ("s", "\xc3\xa9")); }
PROBE(str_wide) { Py_ssize_t n; wchar_t *w = PyUnicode_AsWideCharString(OBJ("s", "\xce\xbbx"), &n); PyObject *r = Py_BuildValue("(niiu)", n, (int)w[0], (int)w[2], w); PyMem_Free(w); return r; }
PROBE(str_ucs4) { Py_UCS4 *u = PyUnicode_AsUCS4Copy(OBJ("s", "\xce\xbbx")); PyObject *r = Py_BuildValue("(III)", u[0], u[1], u[2]); PyMem_Free(u); return r; }
PROBE(str_methods)
{
    PyObject *text = OBJ("s", "one two one"), *one = OBJ("s", "one"), *space = OBJ("s", " ");
    return Py_BuildValue("(NNNNNnnnnniii)", PyUnicode_Split(text, space, -1), PyUnicode_RSplit(text, NULL, 1), PyUnicode_Partition(text, space),
                         PyUnicode_Replace(text, one, space, 1), PyUnicode_Join(space, OBJ("[OO]", one, text)), PyUnicode_Find(text, one, 1, 100, 1),
                         PyUnicode_Find(text, one, 0, 100, -1), PyUnicode_Count(text, one, 0, 100), PyUnicode_Tailmatch(text, one, 0, 100, 1),
                         PyUnicode_FindChar(text, 't', 0, 100, 1), PyUnicode_Contains(text, space), PyUnicode_Compare(one, text),
                         PyUnicode_EqualToUTF8(one, "one"));
}
PROBE(str_more)
{
    PyObject *text = OBJ("s", "a\nb\r\nc");
    return Py_BuildValue("(NNNNNi)", PyUnicode_Splitlines(text, 1), PyUnicode_Substring(text, 1, 4), PyUnicode_Concat(text, text),
                         PyUnicode_Format(OBJ("s", "%s-%d"), OBJ("(si)", "x", 3)), PyUnicode_Translate(text, OBJ("{i:s}", 97, "AA"), NULL),
                         PyUnicode_CompareWithASCIIString(text, "b"));
}
PROBE(str_concat_wrong) { return PyUnicode_Concat(OBJ("s", "a"), OBJ("i", 1)); }
PROBE(str_join_wrong) { return PyUnicode_Join(OBJ("s", "a"), OBJ("[i]", 1)); }
PROBE(str_find_wrong) { Py_ssize_t n = PyUnicode_Find(OBJ("s", "a"), OBJ("i", 1), 0, 1, 1); return n == -2 ? NULL : PyLong_FromSsize_t(n); }
PROBE(str_compare_wrong) { int n = PyUnicode_Compare(OBJ("s", "a"), OBJ("i", 1)); return n == -1 && PyErr_Occurred() ? NULL : PyLong_FromLong(n); }
PROBE(str_length_wrong) { Py_ssize_t n = PyUnicode_GetLength(Py_None); return n < 0 ? NULL : PyLong_FromSsize_t(n); }
PROBE(str_append)
{
    PyObject *text = PyUnicode_FromString("left");
    PyUnicode_Append(&text, OBJ("s", "-right"));
    PyUnicode_AppendAndDel(&text, OBJ("s", "!"));
    PyUnicode_Resize(&text, 6);
    return text;
}
PROBE(str_writer)
{
    PyUnicodeWriter *writer = PyUnicodeWriter_Create(0);
    if (PyUnicodeWriter_WriteChar(writer, 0x3bb) < 0 || PyUnicodeWriter_WriteUTF8(writer, "caf\xc3\xa9", -1) < 0 ||
        PyUnicodeWriter_WriteRepr(writer, OBJ("s", "q")) < 0 || PyUnicodeWriter_Format(writer, "<%d>", 5) < 0 ||
        PyUnicodeWriter_WriteSubstring(writer, OBJ("s", "abcdef"), 2, 4) < 0)
        return NULL;
    return PyUnicodeWriter_Finish(writer);
}
PROBE(str_decode)
{
    int order = 0;
    Py_ssize_t consumed;
    PyObject *partial = PyUnicode_DecodeUTF8Stateful("caf\xc3", 4, NULL, &consumed);
    return Py_BuildValue("(NnNNN)", partial, consumed, PyUnicode_DecodeUTF16("\xff\xfe\xbb\x03", 4, NULL, &order), PyUnicode_DecodeLatin1("\xe9", 1, NULL),
                         PyUnicode_Decode("abc", 3, "utf-8", NULL));
}
PROBE(str_decode_wrong) { return PyUnicode_DecodeUTF8("a\xff", 2, NULL); }
PROBE(str_classes) { return Py_BuildValue("(iiiiid)", Py_UNICODE_ISSPACE(0x3000), Py_UNICODE_ISALPHA(0x3bb), Py_UNICODE_ISDIGIT(0xb2), Py_UNICODE_TOUPPER('q'), Py_UNICODE_TODECIMAL('7'), Py_UNICODE_TONUMERIC(0xbd)); }

PROBE(bytes_ops)
{
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, 3);
    memcpy(PyBytes_AS_STRING(bytes), "xyz", 3);
    PyBytes_Concat(&bytes, OBJ("y", "-more"));
    char *start;
    Py_ssize_t n;
    PyBytes_AsStringAndSize(bytes, &start, &n);
    _PyBytes_Resize(&bytes, 5);
    return Py_BuildValue("(NnNN)", bytes, n, PyBytes_Join(OBJ("y", ","), OBJ("[yy]", "a", "b")), PyBytes_Repr(OBJ("y", "q'"), 0));
}
PROBE(bytes_wrong) { return PyBytes_AsString(Py_None) ? Py_None : NULL; }
PROBE(bytes_null) { char *start; return PyBytes_AsStringAndSize(OBJ("y#", "a\0b", (Py_ssize_t)3), &start, NULL) < 0 ? NULL : Py_NewRef(Py_None); }
PROBE(bytearrays)
{
    PyObject *array = PyByteArray_FromStringAndSize("hello", 5);
    PyByteArray_AsString(array)[0] = 'J';
    PyByteArray_Resize(array, 4);
    return Py_BuildValue("(NnN)", array, PyByteArray_Size(array), PyByteArray_Concat(array, OBJ("y", "!")));
}
PROBE(buffers)
{
    PyObject *array = PyByteArray_FromStringAndSize("abcdef", 6);
    Py_buffer view;
    if (PyObject_GetBuffer(array, &view, PyBUF_FULL) < 0)
        return NULL;
    ((char *)view.buf)[1] = 'X';
    PyObject *info = Py_BuildValue("(nniisnni)", view.len, view.itemsize, view.readonly, view.ndim, view.format, view.shape[0], view.strides[0],
                                   PyBuffer_IsContiguous(&view, 'C'));
    PyObject *locked = PyObject_CallMethod(array, "append", "i", 1);
    PyErr_Clear();
    PyBuffer_Release(&view);
    return Py_BuildValue("(NNi)", info, array, locked == NULL);
}
PROBE(buffer_readonly) { Py_buffer view; return PyObject_GetBuffer(OBJ("y", "x"), &view, PyBUF_WRITABLE) < 0 ? NULL : Py_NewRef(Py_None); }
PROBE(buffer_none) { Py_buffer view; return PyObject_GetBuffer(Py_None, &view, PyBUF_SIMPLE) < 0 ? NULL : Py_NewRef(Py_None); }
PROBE(memory)
{
    static char memory[] = "static";
    PyObject *view = PyMemoryView_FromMemory(memory, 6, PyBUF_WRITE);
    PyObject *slice = PySequence_GetSlice(view, 1, 3);
    PyObject_SetItem(view, OBJ("i", 0), OBJ("i", 'S'));
    return Py_BuildValue("(sNNN)", memory, PyObject_CallMethod(slice, "tobytes", NULL), PyObject_GetAttrString(view, "readonly"),
                         PyObject_CallMethod(PyMemoryView_FromObject(OBJ("y", "zz")), "tolist", NULL));
}

static PyMethodDef rows[] = {
    ROW(long_roundtrip), ROW(long_as), ROW(long_mask), ROW(long_too_big), ROW(long_long_too_big), ROW(long_negative), ROW(long_unsigned_wrong),
    ROW(long_ssize_wrong), ROW(long_uint32), ROW(long_int32), ROW(long_from_string_bad), ROW(long_from_string_end), ROW(long_native),
    ROW(long_export), ROW(long_sign), ROW(floats), ROW(float_wrong), ROW(float_pack_big), ROW(complex_parts), ROW(str_make),
    ROW(str_bad_utf8), ROW(str_ordinal), ROW(str_kinds), ROW(str_utf8), ROW(str_ascii_wrong), ROW(str_wide), ROW(str_ucs4), ROW(str_methods),
    ROW(str_more), ROW(str_concat_wrong), ROW(str_join_wrong), ROW(str_find_wrong), ROW(str_compare_wrong), ROW(str_length_wrong),
    ROW(str_append), ROW(str_writer), ROW(str_decode), ROW(str_decode_wrong), ROW(str_classes), ROW(bytes_ops), ROW(bytes_wrong),
    ROW(bytes_null), ROW(bytearrays), ROW(buffers), ROW(buffer_readonly), ROW(buffer_none), ROW(memory), {NULL}};
MODULE(c_scalars)
