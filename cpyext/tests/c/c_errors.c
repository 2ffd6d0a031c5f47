#include "probe.h"
#include <errno.h>
#include <frameobject.h>

/* Exceptions that are set, fetched, normalised, chained, matched; warnings; what errno says. */
#define OBJ(format, ...) Py_BuildValue(format, __VA_ARGS__)
#define RAISE(statement)                                                                         \
    do {                                                                                         \
        statement;                                                                               \
        return NULL;                                                                             \
    } while (0)

PROBE(set_none) { RAISE(PyErr_SetNone(PyExc_KeyboardInterrupt)); }
PROBE(set_string) { RAISE(PyErr_SetString(PyExc_ValueError, "caf\xc3\xa9")); }
PROBE(set_object) { RAISE(PyErr_SetObject(PyExc_KeyError, OBJ("(is)", 1, "two"))); }
PROBE(set_instance) { RAISE(PyErr_SetObject(PyExc_ValueError, PyObject_CallFunction(PyExc_ValueError, "s", "made"))); }
PROBE(set_not_exception) { RAISE(PyErr_SetObject((PyObject *)&PyLong_Type, Py_None)); }
PROBE(no_memory) { return PyErr_NoMemory(); }
PROBE(bad_argument) { RAISE(PyErr_BadArgument()); }
PROBE(fetch)
{
    PyObject *type, *value, *traceback;
    PyErr_SetString(PyExc_IndexError, "message");
    PyErr_Fetch(&type, &value, &traceback);
    int occurred = PyErr_Occurred() != NULL;
    PyErr_NormalizeException(&type, &value, &traceback);
    return Py_BuildValue("(iNNi)", occurred, type, value, traceback == NULL);
}
PROBE(restore_lazy) { RAISE(PyErr_Restore(Py_NewRef(PyExc_TypeError), PyUnicode_FromString("lazy"), NULL)); }
PROBE(restore_tuple) { RAISE(PyErr_Restore(Py_NewRef(PyExc_OSError), OBJ("(is)", 2, "text"), NULL)); }
PROBE(restore_nothing) { PyErr_SetNone(PyExc_TypeError); PyErr_Restore(NULL, NULL, NULL); return PyBool_FromLong(PyErr_Occurred() == NULL); }
PROBE(raised)
{
    PyErr_SetString(PyExc_IndexError, "message");
    PyObject *exception = PyErr_GetRaisedException();
    int occurred = PyErr_Occurred() != NULL;
    PyErr_SetRaisedException(Py_NewRef(exception));
    int matches = PyErr_ExceptionMatches(PyExc_LookupError), not = PyErr_ExceptionMatches(PyExc_KeyError);
    int tuple = PyErr_ExceptionMatches(OBJ("(OO)", PyExc_KeyError, PyExc_IndexError));
    PyErr_Clear();
    return Py_BuildValue("(Niiiii)", exception, occurred, matches, not, tuple, PyErr_GivenExceptionMatches(PyExc_IndexError, PyExc_Exception));
}
PROBE(context)
{
    PyObject *exception = PyObject_CallFunction(PyExc_ValueError, "s", "new"), *old = PyObject_CallFunction(PyExc_KeyError, "s", "old");
    PyException_SetContext(exception, Py_NewRef(old));
    PyException_SetCause(exception, Py_NewRef(old));
    PyObject *result = Py_BuildValue("(NNNON)", PyException_GetContext(exception), PyException_GetCause(exception), PyException_GetArgs(exception),
                                     PyException_GetTraceback(exception) ? Py_True : Py_False, PyObject_GetAttrString(exception, "__suppress_context__"));
    PyException_SetArgs(exception, OBJ("(ss)", "a", "b"));
    return Py_BuildValue("(NN)", result, PyObject_Str(exception));
}
PROBE(handled)
{
    PyObject *exception = PyObject_CallFunction(PyExc_ValueError, "s", "handled");
    PyErr_SetHandledException(exception);
    PyObject *now = PyErr_GetHandledException();
    PyErr_SetString(PyExc_TypeError, "while handling");
    PyObject *raised = PyErr_GetRaisedException();
    PyErr_SetHandledException(NULL);
    return Py_BuildValue("(NNNi)", now, raised, PyException_GetContext(raised), PyErr_GetHandledException() == NULL);
}
PROBE(new_class)
{
    PyObject *class = PyErr_NewExceptionWithDoc("c_errors.sub.Problem", "A problem.", PyExc_LookupError, OBJ("{s:i}", "extra", 5));
    PyObject *exception = PyObject_CallFunction(class, "i", 3);
    return Py_BuildValue("(NNNNN)", class, exception, PyObject_GetAttrString(class, "__doc__"), PyObject_GetAttrString(class, "extra"),
                         PyObject_GetAttrString(class, "__module__"));
}
PROBE(new_class_bad) { return PyErr_NewException("nodot", NULL, NULL); }
PROBE(from_errno) { errno = ENOENT; return PyErr_SetFromErrno(PyExc_OSError); }
PROBE(from_errno_file) { errno = EACCES; return PyErr_SetFromErrnoWithFilename(PyExc_OSError, "file\xc3\xa9"); }
PROBE(from_errno_files) { errno = EEXIST; return PyErr_SetFromErrnoWithFilenameObjects(PyExc_OSError, OBJ("s", "one"), OBJ("s", "two")); }
PROBE(import_error) { return PyErr_SetImportError(OBJ("s", "cannot"), OBJ("s", "name"), OBJ("s", "path")); }
PROBE(decode_error)
{
    PyObject *error = PyUnicodeDecodeError_Create("utf-8", "a\xff", 2, 1, 2, "bad byte");
    Py_ssize_t start, end;
    PyUnicodeDecodeError_GetStart(error, &start);
    PyUnicodeDecodeError_GetEnd(error, &end);
    PyUnicodeDecodeError_SetReason(error, "other");
    return Py_BuildValue("(NnnNN)", PyObject_Str(error), start, end, PyUnicodeDecodeError_GetReason(error), PyUnicodeDecodeError_GetObject(error));
}
PROBE(internal_call) { return PyList_Append(Py_None, Py_None) < 0 ? (PyErr_Clear(), PyErr_BadInternalCall(), PyErr_ExceptionMatches(PyExc_SystemError) ? (PyErr_Clear(), Py_NewRef(Py_True)) : NULL) : NULL; }
PROBE(class_name) { return PyUnicode_FromString(PyExceptionClass_Name(PyExc_ZeroDivisionError)); }
PROBE(aliases) { return Py_BuildValue("(ii)", PyExc_IOError == PyExc_OSError, PyExc_EnvironmentError == PyExc_OSError); }
PROBE(warning_as_error)
{
    PyObject *warnings = PyImport_ImportModule("warnings");
    PyObject *done = PyObject_CallMethod(warnings, "simplefilter", "s", "error");
    Py_XDECREF(done);
    int status = PyErr_WarnEx(PyExc_UserWarning, "careful", 1);
    PyObject *exception = PyErr_GetRaisedException();
    Py_XDECREF(PyObject_CallMethod(warnings, "simplefilter", "s", "ignore"));
    int quiet = PyErr_WarnFormat(PyExc_DeprecationWarning, 1, "%d", 5);
    return Py_BuildValue("(iNi)", status, exception, quiet);
}
PROBE(traceback)
{
    PyErr_SetString(PyExc_ValueError, "with a place");
    PyObject *exception = PyErr_GetRaisedException();
    PyCodeObject *code = PyCode_NewEmpty("file.pyx", "function", 17);
    PyFrameObject *frame = PyFrame_New(PyThreadState_Get(), code, PyDict_New(), NULL);
    if (frame == NULL)
        return NULL;
    PyErr_SetRaisedException(exception);
    PyTraceBack_Here(frame);
    exception = PyErr_GetRaisedException();
    PyObject *traceback = PyException_GetTraceback(exception);
    PyObject *tb_frame = PyObject_GetAttrString(traceback, "tb_frame"), *f_code = PyObject_GetAttrString(tb_frame, "f_code");
    return Py_BuildValue("(NNNNN)", PyObject_GetAttrString(traceback, "tb_lineno"), PyObject_GetAttrString(f_code, "co_name"),
                         PyObject_GetAttrString(f_code, "co_filename"), PyObject_GetAttrString(f_code, "co_firstlineno"), PyObject_GetAttrString(tb_frame, "f_back"));
}

static PyMethodDef rows[] = {
    ROW(set_none), ROW(set_string), ROW(set_object), ROW(set_instance), ROW(set_not_exception), ROW(no_memory), ROW(bad_argument), ROW(fetch),
    ROW(restore_lazy), ROW(restore_tuple), ROW(restore_nothing), ROW(raised), ROW(context), ROW(handled), ROW(new_class), ROW(new_class_bad),
    ROW(from_errno), ROW(from_errno_file), ROW(from_errno_files), ROW(import_error), ROW(decode_error), ROW(internal_call), ROW(class_name),
    ROW(aliases), ROW(warning_as_error), ROW(traceback), {NULL}};
MODULE(c_errors)
