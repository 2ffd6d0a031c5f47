/* Calls, parsing and building with open arguments. */
#include "build_fast.h"
#include "varargs.h"

PyObject *adder_PyObject_CallFunction(PyObject *callable, const char *format, va_list *args);
PyObject *adder_PyObject_CallMethod(PyObject *object, const char *name, const char *format, va_list *args);
PyObject *adder_PyObject_CallMethodId(PyObject *object, void *name, const char *format, va_list *args);
PyObject *adder_PyObject_CallFunctionObjArgs(PyObject *callable, va_list *args);
PyObject *adder_PyObject_CallMethodObjArgs(PyObject *object, PyObject *name, va_list *args);
PyObject *adder_PyTuple_Pack(Py_ssize_t n, va_list *args);
PyObject *adder_Py_BuildValue(const char *format, va_list *args);
int adder_PyArg_Parse(PyObject *arg, const char *format, va_list *args);
int adder_PyArg_ParseTuple(PyObject *tuple, const char *format, va_list *args);
int adder_PyArg_ParseTupleAndKeywords(PyObject *tuple, PyObject *keywords, const char *format,
                                      const char *const *names, va_list *args);
int adder_PyArg_ParseTupleAndKeywordsFast(PyObject *tuple, PyObject *keywords, void *parser, va_list *args);
int adder_PyArg_UnpackTuple(PyObject *tuple, const char *name, Py_ssize_t min, Py_ssize_t max, va_list *args);
int adder_PySys_Audit(const char *event, const char *format, va_list *args);

EXPORT(PyObject *) PyObject_CallFunction(PyObject *callable, const char *format, ...)
{
    CALL_WITH_ARGS(format, one_object(callable, format, stack, &args),
                   PyObject_Vectorcall(callable, stack + 1, (size_t)n | ARGUMENTS_OFFSET, NULL),
                   adder_PyObject_CallFunction(callable, format, &args));
}

EXPORT(PyObject *) _PyObject_CallFunction_SizeT(PyObject *callable, const char *format, ...)
{
    CALL_WITH_ARGS(format, one_object(callable, format, stack, &args),
                   PyObject_Vectorcall(callable, stack + 1, (size_t)n | ARGUMENTS_OFFSET, NULL),
                   adder_PyObject_CallFunction(callable, format, &args));
}

EXPORT(PyObject *) PyEval_CallFunction(PyObject *callable, const char *format, ...)
{
    CALL_WITH_ARGS(format, one_object(callable, format, stack, &args),
                   PyObject_Vectorcall(callable, stack + 1, (size_t)n | ARGUMENTS_OFFSET, NULL),
                   adder_PyObject_CallFunction(callable, format, &args));
}

EXPORT(PyObject *) PyObject_CallMethod(PyObject *object, const char *name, const char *format, ...)
{
    WITH_ARGS(PyObject *, format, adder_PyObject_CallMethod(object, name, format, &args));
}

EXPORT(PyObject *) _PyObject_CallMethod_SizeT(PyObject *object, const char *name, const char *format, ...)
{
    WITH_ARGS(PyObject *, format, adder_PyObject_CallMethod(object, name, format, &args));
}

EXPORT(PyObject *) PyEval_CallMethod(PyObject *object, const char *name, const char *format, ...)
{
    WITH_ARGS(PyObject *, format, adder_PyObject_CallMethod(object, name, format, &args));
}

EXPORT(PyObject *) _PyObject_CallMethodId(PyObject *object, void *name, const char *format, ...)
{
    WITH_ARGS(PyObject *, format, adder_PyObject_CallMethodId(object, name, format, &args));
}

EXPORT(PyObject *) PyObject_CallFunctionObjArgs(PyObject *callable, ...)
{
    CALL_WITH_ARGS(callable, callable ? gather(stack, &args) : -1,
                   PyObject_Vectorcall(callable, stack + 1, (size_t)n | ARGUMENTS_OFFSET, NULL),
                   adder_PyObject_CallFunctionObjArgs(callable, &args));
}

EXPORT(PyObject *) PyObject_CallMethodObjArgs(PyObject *object, PyObject *name, ...)
{
    CALL_WITH_ARGS(name, object && name ? gather(stack, &args) : -1,
                   (stack[0] = object, PyObject_VectorcallMethod(name, stack, (size_t)n + 1, NULL)),
                   adder_PyObject_CallMethodObjArgs(object, name, &args));
}

EXPORT(PyObject *) PyTuple_Pack(Py_ssize_t n, ...)
{
    TRY_WITH_ARGS(PyObject *, n, pack_fast(n, &args), adder_PyTuple_Pack(n, &args));
}

EXPORT(PyObject *) Py_BuildValue(const char *format, ...)
{
    TRY_WITH_ARGS(PyObject *, format, build_fast(format, &args), adder_Py_BuildValue(format, &args));
}

EXPORT(PyObject *) _Py_BuildValue_SizeT(const char *format, ...)
{
    TRY_WITH_ARGS(PyObject *, format, build_fast(format, &args), adder_Py_BuildValue(format, &args));
}

EXPORT(PyObject *) Py_VaBuildValue(const char *format, va_list vargs)
{
    WITH_COPY(PyObject *, vargs, adder_Py_BuildValue(format, &args));
}

EXPORT(PyObject *) _Py_VaBuildValue_SizeT(const char *format, va_list vargs)
{
    WITH_COPY(PyObject *, vargs, adder_Py_BuildValue(format, &args));
}

EXPORT(int) PyArg_Parse(PyObject *arg, const char *format, ...)
{
    WITH_ARGS(int, format, adder_PyArg_Parse(arg, format, &args));
}

EXPORT(int) _PyArg_Parse_SizeT(PyObject *arg, const char *format, ...)
{
    WITH_ARGS(int, format, adder_PyArg_Parse(arg, format, &args));
}

EXPORT(int) PyArg_ParseTuple(PyObject *tuple, const char *format, ...)
{
    TRY_WITH_ARGS(int, format, parse_tuple_fast(tuple, format, &args), adder_PyArg_ParseTuple(tuple, format, &args));
}

EXPORT(int) _PyArg_ParseTuple_SizeT(PyObject *tuple, const char *format, ...)
{
    TRY_WITH_ARGS(int, format, parse_tuple_fast(tuple, format, &args), adder_PyArg_ParseTuple(tuple, format, &args));
}

EXPORT(int) PyArg_VaParse(PyObject *tuple, const char *format, va_list vargs)
{
    WITH_COPY(int, vargs, adder_PyArg_ParseTuple(tuple, format, &args));
}

EXPORT(int) _PyArg_VaParse_SizeT(PyObject *tuple, const char *format, va_list vargs)
{
    WITH_COPY(int, vargs, adder_PyArg_ParseTuple(tuple, format, &args));
}

EXPORT(int) PyArg_ParseTupleAndKeywords(PyObject *tuple, PyObject *keywords, const char *format, const char *const *names, ...)
{
    TRY_WITH_ARGS(int, names, parse_keywords_fast(tuple, keywords, format, names, &args),
                  adder_PyArg_ParseTupleAndKeywords(tuple, keywords, format, names, &args));
}

EXPORT(int) _PyArg_ParseTupleAndKeywords_SizeT(PyObject *tuple, PyObject *keywords, const char *format, const char *const *names, ...)
{
    TRY_WITH_ARGS(int, names, parse_keywords_fast(tuple, keywords, format, names, &args),
                  adder_PyArg_ParseTupleAndKeywords(tuple, keywords, format, names, &args));
}

EXPORT(int) PyArg_VaParseTupleAndKeywords(PyObject *tuple, PyObject *keywords, const char *format, const char *const *names, va_list vargs)
{
    va_list fast;
    va_copy(fast, vargs);
    int done = parse_keywords_fast(tuple, keywords, format, names, &fast);
    va_end(fast);
    if (done)
        return 1;
    WITH_COPY(int, vargs, adder_PyArg_ParseTupleAndKeywords(tuple, keywords, format, names, &args));
}

EXPORT(int) _PyArg_VaParseTupleAndKeywords_SizeT(PyObject *tuple, PyObject *keywords, const char *format, const char *const *names, va_list vargs)
{
    va_list fast;
    va_copy(fast, vargs);
    int done = parse_keywords_fast(tuple, keywords, format, names, &fast);
    va_end(fast);
    if (done)
        return 1;
    WITH_COPY(int, vargs, adder_PyArg_ParseTupleAndKeywords(tuple, keywords, format, names, &args));
}

EXPORT(int) _PyArg_ParseTupleAndKeywordsFast(PyObject *tuple, PyObject *keywords, void *parser, ...)
{
    WITH_ARGS(int, parser, adder_PyArg_ParseTupleAndKeywordsFast(tuple, keywords, parser, &args));
}

EXPORT(int) PyArg_UnpackTuple(PyObject *tuple, const char *name, Py_ssize_t min, Py_ssize_t max, ...)
{
    WITH_ARGS(int, max, adder_PyArg_UnpackTuple(tuple, name, min, max, &args));
}

EXPORT(int) PySys_Audit(const char *event, const char *format, ...)
{
    WITH_ARGS(int, format, adder_PySys_Audit(event, format, &args));
}

int adder_PyArg_ParseStack(PyObject *const *stack, Py_ssize_t n, const char *format, va_list *args);
int adder_PyArg_ParseStackAndKeywords(PyObject *const *stack, Py_ssize_t n, PyObject *names, void *parser, va_list *args);

EXPORT(int) _PyArg_ParseStack(PyObject *const *stack, Py_ssize_t n, const char *format, ...)
{
    WITH_ARGS(int, format, adder_PyArg_ParseStack(stack, n, format, &args));
}

EXPORT(int) _PyArg_ParseStackAndKeywords(PyObject *const *stack, Py_ssize_t n, PyObject *names, void *parser, ...)
{
    WITH_ARGS(int, parser, adder_PyArg_ParseStackAndKeywords(stack, n, names, parser, &args));
}
