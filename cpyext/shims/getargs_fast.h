/* Argument tuples whose items are of the expected exact types -> C variables, without leaving C. What is not plain is left to the
   general functions in getargs.rs, which begin again: a fast function that gives up has only stored what they will store too. */
#ifndef ADDER_GETARGS_FAST_H
#define ADDER_GETARGS_FAST_H
#include "varargs.h"
#include <limits.h>
#include <string.h>

/* The parts of CPython's layout that are read here. */
typedef struct {
    int64_t refcnt;
    void *type;
} Head;
typedef struct {
    Head head;
    Py_ssize_t size;
    intptr_t hash;
    PyObject *items[1];
} Tuple;
typedef struct {
    Head head;
    uintptr_t tag; /* the sign in two bits, the number of digits above three */
    uint32_t digits[1];
} Long;
typedef struct {
    Head head;
    double value;
} Float;
typedef struct {
    Head head;
    Py_ssize_t length;
    intptr_t hash;
    uint32_t state; /* interned:16, kind:3, compact:1, ascii:1 */
} Text;
typedef struct {
    Head head;
    Py_ssize_t used;
} Dict;

extern char PyLong_Type, PyFloat_Type, PyUnicode_Type, PyTuple_Type, PyDict_Type, PyBool_Type;
extern Head _Py_TrueStruct, _Py_FalseStruct;

#define TYPE(object) (((Head *)(object))->type)

/* The value of an int of at most one digit; 0 when it is another object. */
static inline int small_int(PyObject *object, long *value)
{
    Long *number = (Long *)object;
    if (TYPE(object) != &PyLong_Type || number->tag >= 16)
        return 0;
    *value = (1 - (long)(number->tag & 3)) * (long)number->digits[0];
    return 1;
}

/* ASCII text of a str; NULL when it is another object. */
static inline const char *ascii_text(PyObject *object)
{
    Text *text = (Text *)object;
    const uint32_t compact_ascii = 3u << 19;
    if (TYPE(object) != &PyUnicode_Type || (text->state & compact_ascii) != compact_ascii)
        return NULL;
    return (const char *)(text + 1);
}

#define STORE(type, value) *va_arg(*args, type *) = (type)(value)

/* Fits one object to the item at *at, which moves behind it; 0: not plain. */
static inline int fit(PyObject *object, const char **at, va_list *args)
{
    long number;
    const char *text;
    switch (*(*at)++) {
    case 'O':
        if (**at == '&')
            return 0;
        if (**at == '!') {
            (*at)++;
            if (TYPE(object) != va_arg(*args, void *))
                return 0;
        }
        STORE(PyObject *, object);
        return 1;
    case 'i':
        if (!small_int(object, &number))
            return 0;
        STORE(int, number);
        return 1;
    case 'l':
        if (!small_int(object, &number))
            return 0;
        STORE(long, number);
        return 1;
    case 'n':
        if (!small_int(object, &number))
            return 0;
        STORE(Py_ssize_t, number);
        return 1;
    case 'L':
        if (!small_int(object, &number))
            return 0;
        STORE(long long, number);
        return 1;
    case 'I':
        if (!small_int(object, &number))
            return 0;
        STORE(unsigned int, number);
        return 1;
    case 'k':
        if (!small_int(object, &number))
            return 0;
        STORE(unsigned long, number);
        return 1;
    case 'd':
        if (TYPE(object) != &PyFloat_Type)
            return 0;
        STORE(double, ((Float *)object)->value);
        return 1;
    case 'f':
        if (TYPE(object) != &PyFloat_Type)
            return 0;
        STORE(float, ((Float *)object)->value);
        return 1;
    case 'p':
        if (TYPE(object) != &PyBool_Type)
            return 0;
        STORE(int, object == (PyObject *)&_Py_TrueStruct);
        return 1;
    case 'U':
        if (TYPE(object) != &PyUnicode_Type)
            return 0;
        STORE(PyObject *, object);
        return 1;
    case 's':
    case 'z':
        if (**at == '*' || !(text = ascii_text(object)))
            return 0;
        if (**at == '#') {
            (*at)++;
            STORE(const char *, text);
            STORE(Py_ssize_t, ((Text *)object)->length);
            return 1;
        }
        if (memchr(text, 0, (size_t)((Text *)object)->length))
            return 0;
        STORE(const char *, text);
        return 1;
    default:
        return 0;
    }
}

/* Passes over the variables of an item that has no argument; 0: not plain. */
static inline int skip(const char **at, va_list *args)
{
    switch (*(*at)++) {
    case 'O':
        if (**at == '!' || **at == '&') {
            (*at)++;
            va_arg(*args, void *);
        }
        break;
    case 's':
    case 'z':
        if (**at == '*')
            (*at)++;
        else if (**at == '#') {
            (*at)++;
            va_arg(*args, void *);
        }
        break;
    case 'i': case 'l': case 'n': case 'L': case 'I': case 'k': case 'd': case 'f': case 'p': case 'U':
        break;
    default:
        return 0;
    }
    va_arg(*args, void *);
    return 1;
}

static inline int at_end(char letter) { return letter == 0 || letter == ':' || letter == ';'; }

/* PyArg_ParseTuple: 1 when everything is stored. */
static inline int parse_tuple_fast(PyObject *object, const char *format, va_list *args)
{
    Tuple *tuple = (Tuple *)object;
    int optional = 0;
    if (!object || TYPE(object) != &PyTuple_Type)
        return 0;
    for (Py_ssize_t i = 0; i < tuple->size; i++) {
        if (*format == '|') {
            optional = 1;
            format++;
        }
        if (!fit(tuple->items[i], &format, args))
            return 0;
    }
    return optional || *format == '|' || at_end(*format);
}

/* The value of a keyword, borrowed; NULL when there is none; NOT_ASCII when it must be looked for in another way. */
#define NOT_ASCII ((PyObject *)1)
PyObject *adder_keyword_value(PyObject *keywords, const char *name);

/* PyArg_ParseTupleAndKeywords: 1 when everything is stored. */
static inline int parse_keywords_fast(PyObject *object, PyObject *keywords, const char *format,
                                      const char *const *names, va_list *args)
{
    Tuple *tuple = (Tuple *)object;
    Py_ssize_t n_keywords = 0, i = 0;
    int optional = 0, keyword_only = 0;
    if (!object || TYPE(object) != &PyTuple_Type)
        return 0;
    if (keywords) {
        if (TYPE(keywords) != &PyDict_Type)
            return 0;
        n_keywords = ((Dict *)keywords)->used;
    }
    for (; names[i]; i++)
        if (i > 0 && !*names[i] && *names[i - 1])
            return 0;
    if (tuple->size + n_keywords > i)
        return 0;
    for (i = 0; names[i]; i++) {
        PyObject *value = NULL;
        if (*format == '|') {
            if (optional || keyword_only)
                return 0;
            optional = 1;
            format++;
        }
        if (*format == '$') {
            if (i < tuple->size || keyword_only || !*names[i])
                return 0;
            keyword_only = 1;
            format++;
        }
        if (i < tuple->size)
            value = tuple->items[i];
        else if (n_keywords == 0)
            return optional && !at_end(*format); /* nothing else was given */
        else if (*names[i] && (value = adder_keyword_value(keywords, names[i]))) {
            if (value == NOT_ASCII)
                return 0;
            n_keywords--;
        }
        if (value ? !fit(value, &format, args) : !optional || !skip(&format, args))
            return 0;
    }
    return n_keywords == 0 && i >= tuple->size && (at_end(*format) || *format == '|' || *format == '$');
}

#endif
