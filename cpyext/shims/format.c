/* Functions with a printf-like format. */
#include "varargs.h"

PyObject *adder_PyUnicode_FromFormatV(const char *format, va_list *args);
PyObject *adder_PyBytes_FromFormatV(const char *format, va_list *args);
PyObject *adder_PyErr_FormatV(PyObject *exception, const char *format, va_list *args);
int adder_PyErr_FormatUnraisable(const char *format, va_list *args);
int adder_PyErr_WarnFormat(PyObject *category, Py_ssize_t level, const char *format, va_list *args);
int adder_PyErr_ResourceWarning(PyObject *source, Py_ssize_t level, const char *format, va_list *args);
int adder_PyErr_WarnExplicitFormat(PyObject *category, const char *filename, int lineno, const char *module,
                                   PyObject *registry, const char *format, va_list *args);
int adder_PyUnicodeWriter_FormatV(void *writer, const char *format, va_list *args);
int adder_PySys_FormatV(int to_stderr, const char *format, va_list *args);
int adder_PySys_WriteBytes(int to_stderr, const char *text);

#include <stdio.h>

EXPORT(PyObject *) PyUnicode_FromFormatV(const char *format, va_list vargs)
{
    WITH_COPY(PyObject *, vargs, adder_PyUnicode_FromFormatV(format, &args));
}

EXPORT(PyObject *) PyUnicode_FromFormat(const char *format, ...)
{
    WITH_ARGS(PyObject *, format, adder_PyUnicode_FromFormatV(format, &args));
}

EXPORT(PyObject *) PyBytes_FromFormatV(const char *format, va_list vargs)
{
    WITH_COPY(PyObject *, vargs, adder_PyBytes_FromFormatV(format, &args));
}

EXPORT(PyObject *) PyBytes_FromFormat(const char *format, ...)
{
    WITH_ARGS(PyObject *, format, adder_PyBytes_FromFormatV(format, &args));
}

EXPORT(PyObject *) PyErr_FormatV(PyObject *exception, const char *format, va_list vargs)
{
    WITH_COPY(PyObject *, vargs, adder_PyErr_FormatV(exception, format, &args));
}

EXPORT(PyObject *) PyErr_Format(PyObject *exception, const char *format, ...)
{
    WITH_ARGS(PyObject *, format, adder_PyErr_FormatV(exception, format, &args));
}

EXPORT(void) PyErr_FormatUnraisable(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    adder_PyErr_FormatUnraisable(format, &args);
    va_end(args);
}

EXPORT(int) PyErr_WarnFormat(PyObject *category, Py_ssize_t level, const char *format, ...)
{
    WITH_ARGS(int, format, adder_PyErr_WarnFormat(category, level, format, &args));
}

EXPORT(int) PyErr_ResourceWarning(PyObject *source, Py_ssize_t level, const char *format, ...)
{
    WITH_ARGS(int, format, adder_PyErr_ResourceWarning(source, level, format, &args));
}

EXPORT(int) PyErr_WarnExplicitFormat(PyObject *category, const char *filename, int lineno, const char *module, PyObject *registry, const char *format, ...)
{
    WITH_ARGS(int, format,
              adder_PyErr_WarnExplicitFormat(category, filename, lineno, module, registry, format, &args));
}

EXPORT(int) PyUnicodeWriter_Format(void *writer, const char *format, ...)
{
    WITH_ARGS(int, format, adder_PyUnicodeWriter_FormatV(writer, format, &args));
}

EXPORT(void) PySys_FormatStdout(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    adder_PySys_FormatV(0, format, &args);
    va_end(args);
}

EXPORT(void) PySys_FormatStderr(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    adder_PySys_FormatV(1, format, &args);
    va_end(args);
}

/* PySys_Write*: C's printf into at most 1000 bytes. */
static void write_formatted(int to_stderr, const char *format, va_list args)
{
    char text[1001];
    int n = vsnprintf(text, sizeof text, format, args);
    adder_PySys_WriteBytes(to_stderr, text);
    if (n < 0 || (size_t)n >= sizeof text)
        adder_PySys_WriteBytes(to_stderr, "... truncated");
}

EXPORT(void) PySys_WriteStdout(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_formatted(0, format, args);
    va_end(args);
}

EXPORT(void) PySys_WriteStderr(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_formatted(1, format, args);
    va_end(args);
}
