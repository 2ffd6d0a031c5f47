# wheels: setuptools==84.2.1 wheel==0.48.0 pip==26.3 packaging==26.3
"""A small C extension, built by setuptools alone and by pip as a wheel, with CPython's headers, then imported and used."""

import os
import subprocess
import sys
import sysconfig
import tempfile
import zipfile

SOURCE = r"""
#include <Python.h>

typedef struct { PyObject_HEAD Py_ssize_t total; } Sum;

static PyObject *sum_add(PyObject *self, PyObject *number)
{
    Py_ssize_t value = PyLong_AsSsize_t(number);
    if (value == -1 && PyErr_Occurred())
        return NULL;
    ((Sum *)self)->total += value;
    return PyLong_FromSsize_t(((Sum *)self)->total);
}

static PyMethodDef sum_methods[] = {{"add", sum_add, METH_O, "Adds a number."}, {NULL}};
static PyType_Slot sum_slots[] = {{Py_tp_methods, sum_methods}, {Py_tp_new, PyType_GenericNew}, {0, NULL}};
static PyType_Spec sum_spec = {"small.Sum", sizeof(Sum), 0, Py_TPFLAGS_DEFAULT, sum_slots};

static PyObject *small_join(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"left", "right", "times", NULL};
    const char *left, *right;
    int times = 1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "ss|$i", names, &left, &right, &times))
        return NULL;
    return PyUnicode_FromFormat("%s-%s x%d (%zd)", left, right, times, PyTuple_GET_SIZE(args));
}

static PyMethodDef small_methods[] = {
    {"join", (PyCFunction)(void (*)(void))small_join, METH_VARARGS | METH_KEYWORDS, "Joins two texts."}, {NULL}};

static int small_exec(PyObject *module)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &sum_spec, NULL);
    if (!type || PyModule_AddType(module, (PyTypeObject *)type) < 0)
        return -1;
    Py_DECREF(type);
    return PyModule_AddIntConstant(module, "ANSWER", 42);
}

static PyModuleDef_Slot small_slots[] = {{Py_mod_exec, small_exec}, {0, NULL}};
static PyModuleDef small_module = {
    PyModuleDef_HEAD_INIT, .m_name = "small", .m_doc = "A module in C.", .m_methods = small_methods, .m_slots = small_slots};

PyMODINIT_FUNC PyInit_small(void) { return PyModuleDef_Init(&small_module); }
"""

SETUP = """
from setuptools import Extension, setup
setup(name="small", version="1.0", ext_modules=[Extension("small", ["small.c"])])
"""


def run(*args):
    done = subprocess.run([sys.executable, *args], capture_output=True, text=True)
    if done.returncode:
        print(done.stdout, done.stderr, file=sys.stderr)
    return done.returncode


for name in ("EXT_SUFFIX", "SOABI", "VERSION", "SHLIB_SUFFIX", "Py_GIL_DISABLED", "MULTIARCH"):
    print(name, sysconfig.get_config_var(name))
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    for name, text in (("small.c", SOURCE), ("setup.py", SETUP)):
        with open(name, "w") as file:
            file.write(text)
    print("setuptools", run("setup.py", "-q", "build_ext", "--inplace"))
    print([name for name in os.listdir(".") if name.endswith(".so")])
    sys.path.insert(0, folder)
    import small

    total = small.Sum()
    print(total.add(3), total.add(4), small.ANSWER, small.__doc__, small.Sum.__module__)
    print(small.join("a", "b"), small.join("a", right="b", times=3), small.join.__doc__)
    for bad in (lambda: small.join("a"), lambda: total.add("x"), lambda: small.join("a", "b", 3)):
        try:
            bad()
        except TypeError as error:
            print(error)
    options = ["--no-build-isolation", "--no-deps", "--no-index", "--disable-pip-version-check", "-q", "-w", "built"]
    print("pip", run("-m", "pip", "wheel", *options, "."))
    for name in os.listdir("built"):
        print(name)
        with zipfile.ZipFile(os.path.join("built", name)) as wheel:
            print([member for member in wheel.namelist() if member.endswith(".so")])
    os.chdir("/")
