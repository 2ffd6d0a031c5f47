/* The roads between Python and C, one function each. Compiled once against CPython's headers, run by both. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

static PyObject *noargs(PyObject *self, PyObject *none) { Py_RETURN_NONE; }

static PyObject *identity(PyObject *self, PyObject *object) { return Py_NewRef(object); }

static PyObject *inc(PyObject *self, PyObject *object)
{
    long value = PyLong_AsLong(object);
    if (value == -1 && PyErr_Occurred())
        return NULL;
    return PyLong_FromLong(value + 1);
}

static PyObject *three_ints(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    long sum = 0;
    if (n != 3) {
        PyErr_SetString(PyExc_TypeError, "three ints");
        return NULL;
    }
    for (int i = 0; i < 3; i++) {
        long value = PyLong_AsLong(args[i]);
        if (value == -1 && PyErr_Occurred())
            return NULL;
        sum += value;
    }
    return PyLong_FromLong(sum);
}

static PyObject *parse_tuple(PyObject *self, PyObject *args)
{
    long a, b;
    double c;
    if (!PyArg_ParseTuple(args, "lld", &a, &b, &c))
        return NULL;
    return PyLong_FromLong(a + b);
}

static PyObject *parse_keywords(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"first", "second", "third", NULL};
    long a, b = 2, c = 3;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "l|ll", names, &a, &b, &c))
        return NULL;
    return PyLong_FromLong(a + b + c);
}

static PyObject *fast_keywords(PyObject *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    return PyLong_FromSsize_t(n + (names ? PyTuple_GET_SIZE(names) : 0));
}

static PyObject *build_value(PyObject *self, PyObject *none) { return Py_BuildValue("(ids)", 1, 2.5, "three"); }

static PyObject *raise_error(PyObject *self, PyObject *none)
{
    PyErr_SetString(PyExc_ValueError, "no");
    return NULL;
}

typedef struct {
    PyObject_HEAD
    long number;
    PyObject *object;
} Point;

static PyObject *point_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) { return type->tp_alloc(type, 0); }

static void point_dealloc(Point *self)
{
    Py_XDECREF(self->object);
    Py_TYPE(self)->tp_free(self);
}

static PyObject *point_get(Point *self, void *closure) { return PyLong_FromLong(self->number); }

static PyMemberDef point_members[] = {
    {"member", Py_T_LONG, offsetof(Point, number), 0, NULL},
    {"object", Py_T_OBJECT_EX, offsetof(Point, object), 0, NULL},
    {NULL},
};
static PyGetSetDef point_getset[] = {{"getter", (getter)point_get, NULL, NULL, NULL}, {NULL}};

static PyObject *point_method(Point *self, PyObject *none) { return PyLong_FromLong(self->number); }

static PyMethodDef point_methods[] = {{"method", (PyCFunction)point_method, METH_NOARGS, NULL}, {NULL}};

static PyObject *point_add(PyObject *left, PyObject *right) { return Py_NewRef(left); }

static PyNumberMethods point_number = {.nb_add = point_add};

static Py_ssize_t point_length(PyObject *self) { return 3; }

static PyObject *point_item(PyObject *self, Py_ssize_t at)
{
    if (at > 2) {
        PyErr_SetString(PyExc_IndexError, "at");
        return NULL;
    }
    return PyLong_FromSsize_t(at);
}

static PySequenceMethods point_sequence = {.sq_length = point_length, .sq_item = point_item};

static PyTypeObject PointType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "boundary.Point",
    .tp_basicsize = sizeof(Point),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = point_new,
    .tp_dealloc = (destructor)point_dealloc,
    .tp_members = point_members,
    .tp_getset = point_getset,
    .tp_methods = point_methods,
    .tp_as_number = &point_number,
    .tp_as_sequence = &point_sequence,
};

/* Steps that wait for each other and call nothing: what other times are compared with. */
static PyObject *reference(PyObject *self, PyObject *count)
{
    unsigned long n = PyLong_AsUnsignedLong(count), value = 1;
    while (n--)
        value = value * 6364136223846793005u + 1442695040888963407u;
    return PyLong_FromUnsignedLong(value);
}

/* What follows repeats one call of the API: the argument says how often. */

static PyObject *list_sum(PyObject *self, PyObject *list)
{
    long sum = 0;
    Py_ssize_t n = PyList_Size(list);
    for (Py_ssize_t i = 0; i < n; i++)
        sum += PyLong_AsLong(PyList_GetItem(list, i));
    return PyLong_FromLong(sum);
}

static PyObject *list_build(PyObject *self, PyObject *count)
{
    Py_ssize_t n = PyLong_AsSsize_t(count);
    PyObject *list = PyList_New(n);
    for (Py_ssize_t i = 0; list && i < n; i++)
        PyList_SetItem(list, i, PyLong_FromSsize_t(i + 5000));
    return list;
}

static PyObject *list_append(PyObject *self, PyObject *count)
{
    Py_ssize_t n = PyLong_AsSsize_t(count);
    PyObject *list = PyList_New(0);
    for (Py_ssize_t i = 0; list && i < n; i++)
        PyList_Append(list, Py_None);
    return list;
}

static PyObject *tuple_build(PyObject *self, PyObject *count)
{
    Py_ssize_t n = PyLong_AsSsize_t(count);
    for (Py_ssize_t i = 0; i < n; i++)
        Py_XDECREF(PyTuple_Pack(2, Py_None, Py_None));
    Py_RETURN_NONE;
}

static PyObject *float_build(PyObject *self, PyObject *count)
{
    Py_ssize_t n = PyLong_AsSsize_t(count);
    double sum = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *number = PyFloat_FromDouble((double)i);
        sum += PyFloat_AsDouble(number);
        Py_DECREF(number);
    }
    return PyFloat_FromDouble(sum);
}

#define TIMES(args, i)                            \
    Py_ssize_t times_n = PyLong_AsSsize_t((args)[0]); \
    for (Py_ssize_t i = 0; i < times_n; i++)

static PyObject *call_noargs(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    TIMES(args, i) Py_XDECREF(PyObject_CallNoArgs(args[1]));
    Py_RETURN_NONE;
}

static PyObject *call_one(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    TIMES(args, i) Py_XDECREF(PyObject_CallOneArg(args[1], args[2]));
    Py_RETURN_NONE;
}

static PyObject *call_format(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    TIMES(args, i) Py_XDECREF(PyObject_CallFunction(args[1], "O", args[2]));
    Py_RETURN_NONE;
}

static PyObject *call_method(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    TIMES(args, i) Py_XDECREF(PyObject_CallMethodNoArgs(args[1], args[2]));
    Py_RETURN_NONE;
}

static PyObject *get_attr(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    TIMES(args, i) Py_XDECREF(PyObject_GetAttr(args[1], args[2]));
    Py_RETURN_NONE;
}

static PyObject *get_attr_string(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    TIMES(args, i) Py_XDECREF(PyObject_GetAttrString(args[1], "attribute"));
    Py_RETURN_NONE;
}

static PyObject *set_attr(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    TIMES(args, i) if (PyObject_SetAttr(args[1], args[2], Py_None) < 0) return NULL;
    Py_RETURN_NONE;
}

static PyObject *dict_get(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    TIMES(args, i) if (!PyDict_GetItemWithError(args[1], args[2])) return NULL;
    Py_RETURN_NONE;
}

static PyObject *dict_set(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    TIMES(args, i) if (PyDict_SetItem(args[1], args[2], Py_None) < 0) return NULL;
    Py_RETURN_NONE;
}

static PyObject *get_item(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    TIMES(args, i) Py_XDECREF(PyObject_GetItem(args[1], args[2]));
    Py_RETURN_NONE;
}

static PyObject *number_add(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    TIMES(args, i) Py_XDECREF(PyNumber_Add(args[1], args[2]));
    Py_RETURN_NONE;
}

static PyObject *compare(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    TIMES(args, i) if (PyObject_RichCompareBool(args[1], args[2], Py_LT) < 0) return NULL;
    Py_RETURN_NONE;
}

static PyObject *iterate(PyObject *self, PyObject *iterable)
{
    PyObject *item, *iterator = PyObject_GetIter(iterable);
    if (!iterator)
        return NULL;
    while ((item = PyIter_Next(iterator)))
        Py_DECREF(item);
    Py_DECREF(iterator);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *text_build(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    TIMES(args, i) Py_XDECREF(PyUnicode_FromString("twelve bytes"));
    Py_RETURN_NONE;
}

static PyObject *text_utf8(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    Py_ssize_t size;
    TIMES(args, i) if (!PyUnicode_AsUTF8AndSize(args[1], &size)) return NULL;
    Py_RETURN_NONE;
}

static PyObject *bytes_build(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    TIMES(args, i) Py_XDECREF(PyBytes_FromStringAndSize("twelve bytes", 12));
    Py_RETURN_NONE;
}

static PyObject *raise_clear(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    TIMES(args, i)
    {
        PyErr_SetString(PyExc_ValueError, "no");
        if (PyErr_ExceptionMatches(PyExc_ValueError))
            PyErr_Clear();
    }
    Py_RETURN_NONE;
}

static PyObject *is_instance(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    TIMES(args, i) if (PyObject_IsInstance(args[1], args[2]) < 0) return NULL;
    Py_RETURN_NONE;
}

static PyObject *gil(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    TIMES(args, i)
    {
        PyThreadState *state = PyEval_SaveThread();
        PyEval_RestoreThread(state);
    }
    Py_RETURN_NONE;
}

static PyObject *ensure(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    TIMES(args, i) PyGILState_Release(PyGILState_Ensure());
    Py_RETURN_NONE;
}

static PyObject *buffer(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    TIMES(args, i)
    {
        Py_buffer view;
        if (PyObject_GetBuffer(args[1], &view, PyBUF_SIMPLE) < 0)
            return NULL;
        PyBuffer_Release(&view);
    }
    Py_RETURN_NONE;
}

static PyObject *memory(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    TIMES(args, i) PyMem_Free(PyMem_Malloc(64));
    Py_RETURN_NONE;
}

#define FAST(name) {#name, (PyCFunction)(void (*)(void))name, METH_FASTCALL, NULL}

static PyMethodDef methods[] = {
    {"noargs", noargs, METH_NOARGS, NULL},
    {"identity", identity, METH_O, NULL},
    {"inc", inc, METH_O, NULL},
    {"reference", reference, METH_O, NULL},
    {"build_value", build_value, METH_NOARGS, NULL},
    {"raise_error", raise_error, METH_NOARGS, NULL},
    {"parse_tuple", parse_tuple, METH_VARARGS, NULL},
    {"parse_keywords", (PyCFunction)(void (*)(void))parse_keywords, METH_VARARGS | METH_KEYWORDS, NULL},
    {"fast_keywords", (PyCFunction)(void (*)(void))fast_keywords, METH_FASTCALL | METH_KEYWORDS, NULL},
    {"list_sum", list_sum, METH_O, NULL},
    {"list_build", list_build, METH_O, NULL},
    {"list_append", list_append, METH_O, NULL},
    {"tuple_build", tuple_build, METH_O, NULL},
    {"float_build", float_build, METH_O, NULL},
    {"iterate", iterate, METH_O, NULL},
    FAST(three_ints), FAST(call_noargs), FAST(call_one), FAST(call_format), FAST(call_method), FAST(get_attr),
    FAST(get_attr_string), FAST(set_attr), FAST(dict_get), FAST(dict_set), FAST(get_item), FAST(number_add), FAST(compare),
    FAST(text_build), FAST(text_utf8), FAST(bytes_build), FAST(raise_clear), FAST(is_instance), FAST(gil), FAST(ensure),
    FAST(buffer), FAST(memory),
    {NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "boundary", NULL, -1, methods};

PyMODINIT_FUNC PyInit_boundary(void)
{
    PyObject *made = PyModule_Create(&module);
    if (!made || PyModule_AddType(made, &PointType) < 0)
        return NULL;
    return made;
}
