/* Plain formats of Py_BuildValue, and calls with few objects, without leaving C; the general functions are in modsupport.rs. */
#ifndef ADDER_BUILD_FAST_H
#define ADDER_BUILD_FAST_H
#include "getargs_fast.h"

PyObject *PyTuple_New(Py_ssize_t n);
PyObject *PyTuple_FromArray(PyObject *const *items, Py_ssize_t n);
PyObject *adder_pair(PyObject *first, PyObject *second);
PyObject *PyLong_FromLong(long value);
PyObject *PyFloat_FromDouble(double value);
PyObject *PyUnicode_FromString(const char *text);
PyObject *PyObject_Vectorcall(PyObject *callable, PyObject *const *args, size_t n, PyObject *names);
PyObject *PyObject_VectorcallMethod(PyObject *name, PyObject *const *args, size_t n, PyObject *names);
void Py_IncRef(PyObject *object);
void Py_DecRef(PyObject *object);

enum { MOST_ITEMS = 8 };
#define ARGUMENTS_OFFSET ((size_t)1 << (8 * sizeof(size_t) - 1))

static inline PyObject *build_item(char letter, va_list *args)
{
    PyObject *object;
    const char *text;
    switch (letter) {
    case 'i':
        return PyLong_FromLong(va_arg(*args, int));
    case 'l':
    case 'n':
        return PyLong_FromLong(va_arg(*args, long));
    case 'd':
        return PyFloat_FromDouble(va_arg(*args, double));
    case 's':
        return (text = va_arg(*args, const char *)) ? PyUnicode_FromString(text) : NULL;
    case 'O':
        object = va_arg(*args, PyObject *);
        Py_IncRef(object);
        return object;
    default:
        return va_arg(*args, PyObject *);
    }
}

static inline int is_plain_letter(char letter)
{
    switch (letter) {
    case 'i': case 'l': case 'n': case 'd': case 's': case 'O': case 'N':
        return 1;
    default:
        return 0;
    }
}

/* Py_BuildValue; NULL: not plain, or an item failed, which the general function says. */
static inline PyObject *build_fast(const char *format, va_list *args)
{
    int n = 0, in_parens = format && *format == '(';
    if (!format)
        return NULL;
    format += in_parens;
    for (; is_plain_letter(format[n]); n++)
        if (n == MOST_ITEMS)
            return NULL;
    if (n == 0 || (in_parens ? format[n] != ')' || format[n + 1] : format[n] != 0))
        return NULL;
    if (n == 1 && !in_parens)
        return build_item(*format, args);
    PyObject *tuple = PyTuple_New(n);
    if (!tuple)
        return NULL;
    PyObject **items = ((Tuple *)tuple)->items;
    for (int i = 0; i < n; i++) {
        if ((items[i] = build_item(format[i], args)))
            continue;
        /* The general function begins again: what was given away is still to be taken. */
        while (i-- > 0)
            if (format[i] == 'N')
                items[i] = NULL;
        Py_DecRef(tuple);
        return NULL;
    }
    return tuple;
}

/* The objects up to a NULL behind stack[0]; -1: too many. */
static inline int gather(PyObject **stack, va_list *args)
{
    for (int n = 0; n < MOST_ITEMS; n++)
        if (!(stack[n + 1] = va_arg(*args, PyObject *)))
            return n;
    return -1;
}

/* The object that the format "O" gives, unless it is a tuple, which would be the arguments; -1: not plain. */
static inline int one_object(PyObject *callable, const char *format, PyObject **stack, va_list *args)
{
    const unsigned long tuple_subclass = 1ul << 26;
    const size_t flags_offset = 168;
    if (!callable || !format || format[0] != 'O' || format[1])
        return -1;
    stack[1] = va_arg(*args, PyObject *);
    return stack[1] && !(*(unsigned long *)((char *)TYPE(stack[1]) + flags_offset) & tuple_subclass) ? 1 : -1;
}

/* Runs `fast` with the `n` objects in `stack` that `collect` found, or `call` when it found -1. */
#define CALL_WITH_ARGS(last, collect, fast, call)                              \
    PyObject *stack[MOST_ITEMS + 1] = {NULL};                                  \
    va_list args;                                                              \
    va_start(args, last);                                                      \
    int n = (collect);                                                         \
    va_end(args);                                                              \
    if (n >= 0)                                                                \
        return (fast);                                                         \
    va_start(args, last);                                                      \
    PyObject *result = (call);                                                 \
    va_end(args);                                                              \
    return result

static inline PyObject *pack_fast(Py_ssize_t n, va_list *args)
{
    PyObject *items[MOST_ITEMS];
    if (n <= 0 || n > MOST_ITEMS)
        return NULL;
    if (n == 2) {
        PyObject *first = va_arg(*args, PyObject *);
        return adder_pair(first, va_arg(*args, PyObject *));
    }
    for (Py_ssize_t i = 0; i < n; i++)
        items[i] = va_arg(*args, PyObject *);
    return PyTuple_FromArray(items, n);
}

#endif
