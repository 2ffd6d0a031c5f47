/* Shared by the probes: a module is a list of functions without arguments. */
#include <Python.h>
#include <stddef.h>

#define PROBE(name) static PyObject *name(PyObject *module, PyObject *unused)
#define ROW(name) {#name, name, METH_NOARGS, NULL}
#define MODULE(name)                                                                             \
    static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, #name, NULL, 0, rows};        \
    PyMODINIT_FUNC PyInit_##name(void) { return PyModuleDef_Init(&definition); }
