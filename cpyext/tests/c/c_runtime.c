#include "probe.h"
#include <pthread.h>

/* Modules and their state, imports, sys, evaluation, threads, contexts, codecs, files. */
#define OBJ(format, ...) Py_BuildValue(format, __VA_ARGS__)

typedef struct { int counter; PyObject *kept; } State;

PROBE(state_counts) { State *state = PyModule_GetState(module); return Py_BuildValue("(iN)", ++state->counter, PyObject_Repr(state->kept)); }
PROBE(module_names)
{
    return Py_BuildValue("(sNNi)", PyModule_GetName(module), PyModule_GetNameObject(module), PyObject_GetAttrString(module, "CONSTANT"),
                         PyModule_GetDef(module) != NULL);
}
PROBE(module_new)
{
    PyObject *made = PyModule_New("made");
    PyModule_AddIntConstant(made, "one", 1);
    PyModule_AddStringConstant(made, "text", "t");
    PyModule_Add(made, "list", PyList_New(0));
    int failed = PyModule_AddObjectRef(made, "null", NULL);
    PyErr_Clear();
    return Py_BuildValue("(NNNi)", PyObject_GetAttrString(made, "one"), PyObject_GetAttrString(made, "text"), PyObject_GetAttrString(made, "list"), failed);
}
PROBE(module_filename_missing) { return PyModule_GetFilenameObject(PyModule_New("made")); }
PROBE(import_module) { PyObject *m = PyImport_ImportModule("collections.abc"); return m ? PyObject_GetAttrString(m, "__name__") : NULL; }
PROBE(import_missing) { return PyImport_ImportModule("no.such.module"); }
PROBE(import_level) { PyObject *m = PyImport_ImportModuleLevel("os.path", NULL, NULL, NULL, 0); return m ? PyObject_GetAttrString(m, "__name__") : NULL; }
PROBE(import_add) { PyObject *a = PyImport_AddModuleRef("fresh_module"), *b = PyImport_AddModule("fresh_module"); return PyBool_FromLong(a == b && PyImport_GetModule(OBJ("s", "fresh_module")) == a); }
PROBE(import_get_missing) { PyObject *m = PyImport_GetModule(OBJ("s", "never_imported")); return PyBool_FromLong(m == NULL && !PyErr_Occurred()); }
PROBE(sys)
{
    PySys_SetObject("c_probe", Py_True);
    PyObject *set = PySys_GetObject("c_probe");
    PySys_SetObject("c_probe", NULL);
    return Py_BuildValue("(Oi)", set, PySys_GetObject("c_probe") == NULL);
}
PROBE(eval)
{
    PyObject *globals = OBJ("{s:i}", "x", 20);
    PyObject *result = PyRun_String("x * 2 + 2", Py_eval_input, globals, globals);
    PyObject *run = PyRun_String("def f(n):\n    return n + x\ny = f(1)", Py_file_input, globals, globals);
    return Py_BuildValue("(NNO)", result, run, PyDict_GetItemString(globals, "y"));
}
PROBE(eval_wrong) { PyObject *globals = PyDict_New(); return PyRun_String("1 +", Py_eval_input, globals, globals); }
PROBE(eval_raises) { PyObject *globals = PyDict_New(); return PyRun_String("1 / 0", Py_eval_input, globals, globals); }
PROBE(eval_code)
{
    PyObject *code = Py_CompileString("[i * k for i in range(3)]", "<here>", Py_eval_input), *globals = OBJ("{s:i}", "k", 7);
    return code ? PyEval_EvalCode(code, globals, globals) : NULL;
}
PROBE(builtins) { return PyBool_FromLong(PyDict_GetItemString(PyEval_GetBuiltins(), "len") != NULL); }
PROBE(python_class)
{
    PyObject *globals = PyDict_New();
    Py_XDECREF(PyRun_String("class A:\n    def __init__(self, v): self.v = v\n    def __add__(self, o): return ('add', self.v, o)\n    def __len__(self): return 3\n"
                            "    def __getitem__(self, k): return k * 2\n    def __iter__(self): yield from (1, 2)\n    def __call__(self, *a, **k): return a, k\n"
                            "    def __repr__(self): return f'A({self.v})'\n    def __eq__(self, o): return True\n    __hash__ = None\n", Py_file_input, globals, globals));
    PyObject *a = PyObject_CallFunction(PyDict_GetItemString(globals, "A"), "i", 4);
    if (a == NULL)
        return NULL;
    Py_hash_t hash = PyObject_Hash(a);
    PyErr_Clear();
    return Py_BuildValue("(NNnNNNNni)", PyObject_Repr(a), PyNumber_Add(a, Py_None), PyObject_Size(a), PyObject_GetItem(a, OBJ("i", 4)), PySequence_List(a),
                         PyObject_Call(a, OBJ("(i)", 1), OBJ("{s:i}", "k", 2)), PyObject_GetAttrString(a, "v"), hash, PyObject_RichCompareBool(a, Py_None, Py_EQ));
}
PROBE(generator)
{
    PyObject *globals = PyDict_New();
    Py_XDECREF(PyRun_String("def g():\n    got = yield 1\n    yield got\n    return 'done'\n", Py_file_input, globals, globals));
    PyObject *g = PyObject_CallNoArgs(PyDict_GetItemString(globals, "g")), *a = NULL, *b = NULL, *c = NULL;
    int s1 = PyIter_Send(g, Py_None, &a), s2 = PyIter_Send(g, OBJ("s", "sent"), &b), s3 = PyIter_Send(g, Py_None, &c);
    return Py_BuildValue("(iNiNiNi)", s1, a, s2, b, s3, c, PyGen_CheckExact(g));
}
static void *in_thread(void *arg)
{
    PyGILState_STATE state = PyGILState_Ensure();
    PyList_Append(arg, PyBool_FromLong(PyGILState_Check()));
    PyGILState_Release(state);
    return NULL;
}
PROBE(threads)
{
    PyObject *list = PyList_New(0);
    pthread_t threads[3];
    Py_BEGIN_ALLOW_THREADS
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, in_thread, list);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    Py_END_ALLOW_THREADS
    return list;
}
PROBE(thread_state)
{
    PyThreadState *state = PyThreadState_Get();
    PyObject *dict = PyThreadState_GetDict();
    return Py_BuildValue("(iiii)", state == PyThreadState_GetUnchecked(), PyDict_Check(dict), PyThreadState_GetInterpreter(state) == PyInterpreterState_Get(),
                         PyGILState_GetThisThreadState() == state);
}
PROBE(nested_ensure) { PyGILState_STATE s = PyGILState_Ensure(); int locked = s == PyGILState_LOCKED; PyGILState_Release(s); return PyBool_FromLong(locked); }
PROBE(locks)
{
    PyThread_type_lock lock = PyThread_allocate_lock();
    int first = PyThread_acquire_lock(lock, 0), second = PyThread_acquire_lock(lock, 0), timed = PyThread_acquire_lock_timed(lock, 1000, 0);
    PyThread_release_lock(lock);
    int third = PyThread_acquire_lock(lock, 1);
    PyThread_release_lock(lock);
    PyThread_free_lock(lock);
    static Py_tss_t key = Py_tss_NEEDS_INIT;
    PyThread_tss_create(&key);
    PyThread_tss_set(&key, &key);
    int same = PyThread_tss_get(&key) == &key;
    PyThread_tss_delete(&key);
    PyMutex mutex = {0};
    PyMutex_Lock(&mutex);
    PyMutex_Unlock(&mutex);
    return Py_BuildValue("(iiiii)", first, second, timed, third, same);
}
static int pended = 0;
static int pend(void *arg) { pended += *(int *)arg; return 0; }
PROBE(pending) { static int five = 5; Py_AddPendingCall(pend, &five); Py_MakePendingCalls(); return PyLong_FromLong(pended); }
PROBE(context_vars)
{
    PyObject *var = PyContextVar_New("var", OBJ("i", 1)), *value, *other;
    if (var == NULL || PyContextVar_Get(var, NULL, &value) < 0)
        return NULL;
    PyObject *token = PyContextVar_Set(var, OBJ("i", 2));
    PyContextVar_Get(var, NULL, &other);
    PyContextVar_Reset(var, token);
    PyObject *empty = PyContextVar_New("empty", NULL), *missing;
    int status = PyContextVar_Get(empty, NULL, &missing);
    return Py_BuildValue("(NNii)", value, other, status, missing == NULL);
}
PROBE(codecs)
{
    return Py_BuildValue("(iNN)", PyCodec_KnownEncoding("utf-8"), PyCodec_Encode(OBJ("s", "caf\xc3\xa9"), "latin-1", NULL), PyCodec_Decode(OBJ("y", "abc"), "ascii", NULL));
}
PROBE(codec_unknown) { return PyUnicode_AsEncodedString(OBJ("s", "x"), "no-such-codec", NULL); }
PROBE(decode_wide)
{
    int order = 0;
    Py_ssize_t consumed;
    PyObject *text = PyUnicode_DecodeUTF16Stateful("\xff\xfe\xbb\x03" "a", 5, NULL, &order, &consumed);
    return Py_BuildValue("(Nin)", text, order, consumed);
}
PROBE(fspath) { return Py_BuildValue("(NN)", PyOS_FSPath(OBJ("s", "p")), PyUnicode_EncodeFSDefault(OBJ("s", "caf\xc3\xa9"))); }
PROBE(fspath_wrong) { return PyOS_FSPath(OBJ("i", 1)); }
PROBE(fd) { return PyLong_FromLong(PyObject_AsFileDescriptor(OBJ("i", 2))); }
PROBE(fd_wrong) { int fd = PyObject_AsFileDescriptor(OBJ("s", "x")); return fd < 0 ? NULL : PyLong_FromLong(fd); }
PROBE(hash_buffer) { return PyBool_FromLong(Py_HashBuffer("abc", 3) == PyObject_Hash(OBJ("y", "abc"))); }
static PyStructSequence_Field fields[] = {{"first", "one"}, {"second", NULL}, {"hidden", NULL}, {NULL}};
static PyStructSequence_Desc desc = {"c_runtime.Pair", "A pair.", fields, 2};
PROBE(struct_sequence)
{
    PyTypeObject *type = PyStructSequence_NewType(&desc);
    if (type == NULL)
        return NULL;
    PyObject *pair = PyStructSequence_New(type);
    for (int i = 0; i < 3; i++)
        PyStructSequence_SetItem(pair, i, PyLong_FromLong(i * 10));
    return Py_BuildValue("(NNN)", PyObject_Repr(pair), PyObject_GetAttrString(pair, "hidden"), PySequence_Tuple(pair));
}
PROBE(weak_callback)
{
    PyObject *globals = PyDict_New();
    Py_XDECREF(PyRun_String("class A: pass\nseen = []\na = A()\n", Py_file_input, globals, globals));
    PyObject *a = Py_NewRef(PyDict_GetItemString(globals, "a")), *seen = PyDict_GetItemString(globals, "seen");
    PyObject *reference = PyWeakref_NewRef(a, PyObject_GetAttrString(seen, "append"));
    PyDict_DelItemString(globals, "a");
    Py_DECREF(a);
    return Py_BuildValue("(ni)", PyList_Size(seen), PyList_GetItem(seen, 0) == reference);
}
PROBE(capsule_import)
{
    PyObject *made = PyImport_AddModule("capsule_home");
    static int value = 99;
    PyModule_Add(made, "api", PyCapsule_New(&value, "capsule_home.api", NULL));
    int *found = PyCapsule_Import("capsule_home.api", 0);
    return found ? PyLong_FromLong(*found) : NULL;
}
PROBE(capsule_import_wrong) { return PyCapsule_Import("sys.path", 0) ? Py_None : NULL; }
PROBE(recursion)
{
    int entered = Py_EnterRecursiveCall(" in a probe");
    Py_LeaveRecursiveCall();
    return Py_BuildValue("(ii)", entered, Py_GetRecursionLimit() > 100);
}
PROBE(version) { return Py_BuildValue("(ii)", Py_Version >> 16 == 0x030e, Py_IsInitialized()); }

static int state_exec(PyObject *module)
{
    State *state = PyModule_GetState(module);
    state->counter = 40;
    state->kept = PyUnicode_FromString("kept");
    return PyModule_AddIntConstant(module, "CONSTANT", 7);
}
static PyModuleDef_Slot slots[] = {{Py_mod_exec, state_exec}, {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED}, {Py_mod_gil, Py_MOD_GIL_NOT_USED}, {0}};
static PyMethodDef rows[] = {
    ROW(state_counts), ROW(module_names), ROW(module_new), ROW(module_filename_missing), ROW(import_module), ROW(import_missing), ROW(import_level),
    ROW(import_add), ROW(import_get_missing), ROW(sys), ROW(eval), ROW(eval_wrong), ROW(eval_raises), ROW(eval_code), ROW(builtins),
    ROW(python_class), ROW(generator), ROW(threads), ROW(thread_state), ROW(nested_ensure), ROW(locks), ROW(pending), ROW(context_vars), ROW(codecs),
    ROW(codec_unknown), ROW(decode_wide), ROW(fspath), ROW(fspath_wrong), ROW(fd), ROW(fd_wrong), ROW(hash_buffer), ROW(struct_sequence),
    ROW(weak_callback), ROW(capsule_import), ROW(capsule_import_wrong), ROW(recursion), ROW(version), {NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "c_runtime", "Probes.", sizeof(State), rows, slots};
PyMODINIT_FUNC PyInit_c_runtime(void) { return PyModuleDef_Init(&definition); }
