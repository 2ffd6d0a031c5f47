/* Configurations, watchers, contexts, generators from frames, ordered dicts, interpreters beside the main one. */
#include "probe.h"

#define PUT(config, name) PyList_Append(list, PyLong_FromLong((config).name))
#define ALL(config)                                                                                                             \
    PUT(config, _config_init), PUT(config, isolated), PUT(config, use_environment), PUT(config, dev_mode),                      \
        PUT(config, install_signal_handlers), PUT(config, use_hash_seed), PUT(config, faulthandler), PUT(config, tracemalloc),  \
        PUT(config, perf_profiling), PUT(config, import_time), PUT(config, code_debug_ranges), PUT(config, parse_argv),         \
        PUT(config, site_import), PUT(config, bytes_warning), PUT(config, inspect), PUT(config, interactive),                   \
        PUT(config, optimization_level), PUT(config, parser_debug), PUT(config, write_bytecode), PUT(config, verbose),          \
        PUT(config, quiet), PUT(config, user_site_directory), PUT(config, configure_c_stdio), PUT(config, buffered_stdio),      \
        PUT(config, use_frozen_modules), PUT(config, safe_path), PUT(config, int_max_str_digits), PUT(config, cpu_count),       \
        PUT(config, pathconfig_warnings), PUT(config, module_search_paths_set), PUT(config, skip_source_first_line)

PROBE(config_python)
{
    PyConfig config;
    PyConfig_InitPythonConfig(&config);
    PyObject *list = PyList_New(0);
    ALL(config);
    PyConfig_Clear(&config);
    return list;
}
PROBE(config_isolated)
{
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    PyObject *list = PyList_New(0);
    ALL(config);
    PyConfig_Clear(&config);
    return list;
}
static PyObject *preconfig(PyPreConfig *config)
{
    return Py_BuildValue("(iiiiiiiiii)", config->_config_init, config->parse_argv, config->isolated, config->use_environment,
                         config->configure_locale, config->coerce_c_locale, config->coerce_c_locale_warn, config->utf8_mode,
                         config->dev_mode, config->allocator);
}
PROBE(preconfig_python)
{
    PyPreConfig config;
    PyPreConfig_InitPythonConfig(&config);
    return preconfig(&config);
}
PROBE(preconfig_isolated)
{
    PyPreConfig config;
    PyPreConfig_InitIsolatedConfig(&config);
    return preconfig(&config);
}
PROBE(config_texts)
{
    PyConfig config;
    PyConfig_InitIsolatedConfig(&config);
    PyConfig_SetString(&config, &config.program_name, L"one");
    PyConfig_SetString(&config, &config.program_name, L"two \xe9");
    PyConfig_SetBytesString(&config, &config.home, "/caf\xc3\xa9/\xff");
    char *args[] = {"a", "b"};
    PyStatus status = PyConfig_SetBytesArgv(&config, 2, args);
    PyWideStringList_Append(&config.argv, L"end");
    PyWideStringList_Insert(&config.argv, 0, L"start");
    PyWideStringList_Insert(&config.argv, 99, L"late");
    PyStatus bad = PyWideStringList_Insert(&config.argv, -1, L"x");
    PyObject *list = PyList_New(0);
    for (Py_ssize_t i = 0; i < config.argv.length; i++)
        PyList_Append(list, PyUnicode_FromWideChar(config.argv.items[i], -1));
    PyObject *result = Py_BuildValue("(uuNiiis)", config.program_name, config.home, list, PyStatus_Exception(status),
                                     PyStatus_IsError(bad), PyStatus_IsExit(bad), bad.err_msg);
    PyConfig_Clear(&config);
    return result;
}
PROBE(status)
{
    PyStatus left = PyStatus_Exit(3), error = PyStatus_Error("why"), none = PyStatus_NoMemory(), fine = PyStatus_Ok();
    return Py_BuildValue("(iiisiisi)", left.exitcode, PyStatus_IsExit(left), PyStatus_IsError(error), error.err_msg,
                         PyStatus_Exception(error), PyStatus_IsError(none), none.err_msg, PyStatus_Exception(fine));
}
PROBE(init_config)
{
    PyInitConfig *config = PyInitConfig_Create();
    int64_t isolated = -9, verbose = -9, nothing = -9, allocator = -9;
    char *text = NULL, **items = NULL, *given[] = {"x", "caf\xc3\xa9"};
    size_t length = 99;
    const char *message = NULL;
    PyInitConfig_GetInt(config, "isolated", &isolated);
    int set = PyInitConfig_SetInt(config, "verbose", 2);
    PyInitConfig_GetInt(config, "verbose", &verbose);
    PyInitConfig_GetInt(config, "allocator", &allocator);
    PyInitConfig_SetStr(config, "program_name", "p\xc3\xa9");
    PyInitConfig_GetStr(config, "program_name", &text);
    PyInitConfig_SetStrList(config, "argv", 2, given);
    PyInitConfig_GetStrList(config, "argv", &length, &items);
    int fine = PyInitConfig_GetError(config, &message);
    PyObject *result = Py_BuildValue("(LLLisnssii)", isolated, verbose, allocator, set, text, length, items[0], items[1], fine,
                                     message == NULL);
    PyInitConfig_FreeStrList(length, items);
    free(text);
    int wrong = PyInitConfig_GetInt(config, "nonsense", &nothing), is_wrong = PyInitConfig_GetError(config, &message);
    result = Py_BuildValue("(NiisiiL)", result, wrong, is_wrong, message, PyInitConfig_HasOption(config, "argv"),
                           PyInitConfig_HasOption(config, "nonsense"), nothing);
    int no_list = PyInitConfig_GetStrList(config, "verbose", &length, &items);
    PyInitConfig_GetError(config, &message);
    result = Py_BuildValue("(Nis)", result, no_list, message);
    PyInitConfig_Free(config);
    return result;
}
PROBE(config_names)
{
    PyObject *names = PyConfig_Names(), *sorted = PySequence_List(names);
    PyList_Sort(sorted);
    return sorted;
}
PROBE(config_values)
{
    int isolated = -1;
    PyConfig_GetInt("isolated", &isolated);
    return Py_BuildValue("(iNNN)", isolated, PyConfig_Get("platlibdir"), PyConfig_Get("bytes_warning"), PyConfig_Get("code_debug_ranges"));
}
PROBE(config_value_wrong) { return PyConfig_Get("nonsense"); }
PROBE(config_set_wrong) { return PyConfig_Set("isolated", Py_True) < 0 ? NULL : Py_None; }
PROBE(flags)
{
    return Py_BuildValue("(iiiii)", Py_VerboseFlag, Py_OptimizeFlag, Py_NoSiteFlag, Py_IsolatedFlag, Py_InteractiveFlag);
}

static int n_events;
static int on_dict(PyDict_WatchEvent event, PyObject *dict, PyObject *key, PyObject *value) { n_events += 1 + event; return 0; }
static int on_type(PyTypeObject *type) { n_events += 100; return 0; }
static int on_code(PyCodeEvent event, PyCodeObject *code) { n_events += 1000; return 0; }
static int on_function(PyFunction_WatchEvent event, PyFunctionObject *function, PyObject *value) { n_events += 10000; return 0; }
static int on_context(PyContextEvent event, PyObject *context) { n_events += 100000; return 0; }
PROBE(watch_dict)
{
    int id = PyDict_AddWatcher(on_dict);
    PyObject *dict = PyDict_New();
    n_events = 0;
    PyDict_Watch(id, dict);
    PyDict_SetItemString(dict, "a", Py_None);
    PyDict_SetItemString(dict, "a", Py_True);
    PyDict_DelItemString(dict, "a");
    int before = n_events;
    PyDict_Unwatch(id, dict);
    PyDict_SetItemString(dict, "a", Py_None);
    return Py_BuildValue("(iii)", before, n_events, PyDict_ClearWatcher(id));
}
PROBE(watch_wrong) { return PyDict_Watch(7, PyDict_New()) < 0 ? NULL : Py_None; }
PROBE(watch_type)
{
    PyObject *globals = PyDict_New();
    Py_XDECREF(PyRun_String("class A: x = 1\nclass B(A): pass\nA.x, B.x\n", Py_file_input, globals, globals));
    int id = PyType_AddWatcher(on_type);
    n_events = 0;
    PyType_Watch(id, PyDict_GetItemString(globals, "B"));
    Py_XDECREF(PyRun_String("B.x\nA.x = 2\nA.x = 3\nB.x\nA.x = 4\n", Py_file_input, globals, globals));
    PyType_Unwatch(id, PyDict_GetItemString(globals, "B"));
    return Py_BuildValue("(ii)", n_events, PyType_ClearWatcher(id));
}
PROBE(watch_code_and_functions)
{
    PyObject *globals = PyDict_New();
    PyObject *code = Py_CompileString("def f(a=1): pass\nf.__defaults__ = (2,)\nf.__kwdefaults__ = None\ndel f\n", "probe", Py_file_input);
    int codes = PyCode_AddWatcher(on_code), functions = PyFunction_AddWatcher(on_function);
    n_events = 0;
    Py_XDECREF(PyEval_EvalCode(code, globals, globals));
    int by_functions = n_events;
    Py_XDECREF(PyCode_NewEmpty("file", "name", 1));
    /* Who runs a module's code may make a function of it, or not. */
    return Py_BuildValue("(iiii)", by_functions >= 40000, n_events - by_functions, PyCode_ClearWatcher(codes),
                         PyFunction_ClearWatcher(functions));
}
PROBE(watch_context)
{
    int id = PyContext_AddWatcher(on_context);
    n_events = 0;
    PyObject *context = PyContext_New(), *variable = PyContextVar_New("v", NULL), *inside = NULL, *outside = NULL;
    int entered = PyContext_Enter(context);
    Py_XDECREF(PyContextVar_Set(variable, PyLong_FromLong(5)));
    PyContextVar_Get(variable, NULL, &inside);
    int left = PyContext_Exit(context);
    PyContextVar_Get(variable, Py_False, &outside);
    return Py_BuildValue("(iiNNii)", entered, left, inside, outside, n_events, PyContext_ClearWatcher(id));
}
PROBE(context_exit_wrong)
{
    int status = PyContext_Exit(PyContext_New()), is_runtime_error = PyErr_ExceptionMatches(PyExc_RuntimeError);
    PyErr_Clear();
    return Py_BuildValue("(ii)", status, is_runtime_error);
}
PROBE(context_enter_wrong) { return PyContext_Enter(Py_None) < 0 ? NULL : Py_None; }

PROBE(ordered_dict)
{
    PyObject *dict = PyODict_New();
    PyODict_SetItem(dict, PyUnicode_FromString("b"), Py_True);
    PyODict_SetItem(dict, PyUnicode_FromString("a"), Py_False);
    PyODict_SetItem(dict, PyUnicode_FromString("b"), Py_None);
    int deleted = PyODict_DelItem(dict, PyUnicode_FromString("a"));
    return Py_BuildValue("(Niii)", dict, deleted, PyODict_CheckExact(dict), PyODict_Check(Py_None));
}
PROBE(syntax_location)
{
    PyErr_SetString(PyExc_SyntaxError, "bad");
    PyErr_RangedSyntaxLocationObject(PyUnicode_FromString("some.py"), 3, 4, 3, 9);
    PyObject *error = PyErr_GetRaisedException();
    return Py_BuildValue("(NNNNN)", PyObject_GetAttrString(error, "filename"), PyObject_GetAttrString(error, "lineno"),
                         PyObject_GetAttrString(error, "offset"), PyObject_GetAttrString(error, "end_lineno"),
                         PyObject_GetAttrString(error, "end_offset"));
}
PROBE(location_of_code)
{
    PyObject *code = Py_CompileString("x = 1\n", "probe", Py_file_input);
    int line, column, end_line, end_column, found = PyCode_Addr2Location((PyCodeObject *)code, 2, &line, &column, &end_line, &end_column);
    return Py_BuildValue("(iiii)", found, line <= end_line, line >= -1, column >= -1);
}

static int n_ends;
static void at_end(void *data) { n_ends += *(int *)data; }
PROBE(interpreter)
{
    PyThreadState *main = PyThreadState_Get(), *other = Py_NewInterpreter();
    int one = 1, is_current = other == PyThreadState_Get(), differs = other->interp != main->interp;
    int64_t id = PyInterpreterState_GetID(PyInterpreterState_Get());
    n_ends = 0;
    PyUnstable_AtExit(PyInterpreterState_Get(), at_end, &one);
    PyUnstable_AtExit(PyInterpreterState_Get(), at_end, &one);
    int ran = PyRun_SimpleString("import sys, json\nassert 'c_embedding' not in sys.modules\nsys.marker = json.dumps([1])\n"
                                 "import atexit; atexit.register(lambda: None)\n");
    Py_EndInterpreter(other);
    PyThreadState_Swap(main);
    PyObject *marker = PySys_GetObject("marker");
    return Py_BuildValue("(iiiiiii)", is_current, differs, id > 0, ran, n_ends, marker == NULL,
                         PyInterpreterState_GetID(PyInterpreterState_Get()) == 0);
}
PROBE(interpreter_threads)
{
    PyThreadState *main = PyThreadState_Get(), *other = Py_NewInterpreter();
    int ran = PyRun_SimpleString("import sys, threading\nseen = []\n"
                                 "thread = threading.Thread(target=lambda: seen.append(sys.modules is modules))\nmodules = sys.modules\n"
                                 "thread.start(); thread.join()\nassert seen == [True], seen\n");
    Py_EndInterpreter(other);
    PyThreadState_Swap(main);
    return PyLong_FromLong(ran);
}

static PyMethodDef rows[] = {
    ROW(config_python), ROW(config_isolated), ROW(preconfig_python), ROW(preconfig_isolated), ROW(config_texts), ROW(status),
    ROW(init_config), ROW(config_names), ROW(config_values), ROW(config_value_wrong), ROW(config_set_wrong), ROW(flags),
    ROW(watch_dict), ROW(watch_wrong), ROW(watch_type), ROW(watch_code_and_functions), ROW(watch_context), ROW(context_exit_wrong),
    ROW(context_enter_wrong), ROW(ordered_dict), ROW(syntax_location), ROW(location_of_code), ROW(interpreter),
    ROW(interpreter_threads), {NULL}};
static PyModuleDef_Slot slots[] = {{Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_SUPPORTED}, {0}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "c_embedding", "Probes.", 0, rows, slots};
PyMODINIT_FUNC PyInit_c_embedding(void) { return PyModuleDef_Init(&definition); }
