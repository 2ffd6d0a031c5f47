#include "probe.h"
#include <structmember.h>

/* A static type with members, a getset, methods of each convention, number and sequence slots, and the collector's support. */
typedef struct {
    PyObject_HEAD
    int number;
    double real;
    char flag;
    PyObject *object;
    PyObject *dict;
    PyObject *weakrefs;
} Thing;

static int n_dead = 0;

static int thing_traverse(Thing *self, visitproc visit, void *arg)
{
    Py_VISIT(self->object);
    Py_VISIT(self->dict);
    return 0;
}
static int thing_clear(Thing *self)
{
    Py_CLEAR(self->object);
    Py_CLEAR(self->dict);
    return 0;
}
static void thing_dealloc(Thing *self)
{
    PyObject_GC_UnTrack(self);
    if (self->weakrefs)
        PyObject_ClearWeakRefs((PyObject *)self);
    thing_clear(self);
    n_dead++;
    Py_TYPE(self)->tp_free((PyObject *)self);
}
static int thing_init(Thing *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"number", "object", NULL};
    PyObject *object = Py_None;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|iO:Thing", names, &self->number, &object))
        return -1;
    Py_XSETREF(self->object, Py_NewRef(object));
    self->real = self->number / 2.0;
    return 0;
}
static PyObject *thing_repr(Thing *self) { return PyUnicode_FromFormat("<%s %d>", Py_TYPE(self)->tp_name, self->number); }
static PyObject *thing_add(PyObject *left, PyObject *right)
{
    if (!PyLong_Check(right))
        Py_RETURN_NOTIMPLEMENTED;
    return PyLong_FromLong(((Thing *)left)->number + PyLong_AsLong(right));
}
static Py_ssize_t thing_len(Thing *self) { return self->number; }
static PyObject *thing_item(Thing *self, Py_ssize_t index)
{
    if (index < 0 || index >= self->number) {
        PyErr_SetString(PyExc_IndexError, "thing index out of range");
        return NULL;
    }
    return PyLong_FromSsize_t(index * index);
}
static PyObject *thing_richcompare(PyObject *a, PyObject *b, int op)
{
    if (Py_TYPE(a) != Py_TYPE(b))
        Py_RETURN_NOTIMPLEMENTED;
    Py_RETURN_RICHCOMPARE(((Thing *)a)->number, ((Thing *)b)->number, op);
}
static Py_hash_t thing_hash(Thing *self) { return self->number + 1000; }
static PyObject *thing_noargs(Thing *self, PyObject *unused) { return PyLong_FromLong(self->number); }
static PyObject *thing_o(Thing *self, PyObject *arg) { return PyTuple_Pack(2, self->object, arg); }
static PyObject *thing_varargs(Thing *self, PyObject *args) { return Py_NewRef(args); }
static PyObject *thing_keywords(Thing *self, PyObject *args, PyObject *kwargs)
{
    return PyTuple_Pack(2, args, kwargs ? kwargs : Py_None);
}
static PyObject *thing_fast(Thing *self, PyObject *const *args, Py_ssize_t n) { return Py_BuildValue("nO", n, n ? args[n - 1] : Py_None); }
static PyObject *thing_fastkw(Thing *self, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    return Py_BuildValue("nOO", n, names ? names : Py_None, names ? args[n] : Py_None);
}
static PyObject *thing_class(PyTypeObject *cls, PyObject *unused) { return PyUnicode_FromString(cls->tp_name); }
static PyObject *thing_static(PyObject *unused, PyObject *arg) { return Py_BuildValue("OO", unused ? unused : Py_None, arg); }
static PyObject *get_double(Thing *self, void *closure) { return PyLong_FromLong(self->number * *(int *)closure); }
static int set_double(Thing *self, PyObject *value, void *closure)
{
    if (value == NULL) {
        PyErr_SetString(PyExc_TypeError, "cannot delete scaled");
        return -1;
    }
    self->number = PyLong_AsLong(value) / *(int *)closure;
    return PyErr_Occurred() ? -1 : 0;
}
static int factor = 3;

static PyMemberDef thing_members[] = {{"number", Py_T_INT, offsetof(Thing, number), 0, "a number"},
                                      {"real", Py_T_DOUBLE, offsetof(Thing, real), Py_READONLY},
                                      {"flag", Py_T_BOOL, offsetof(Thing, flag)},
                                      {"object", Py_T_OBJECT_EX, offsetof(Thing, object)},
                                      {NULL}};
static PyGetSetDef thing_getset[] = {{"scaled", (getter)get_double, (setter)set_double, "three times", &factor},
                                     {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict},
                                     {NULL}};
static PyMethodDef thing_methods[] = {{"noargs", (PyCFunction)thing_noargs, METH_NOARGS, "noargs($self, /)\n--\n\nNo arguments."},
                                      {"o", (PyCFunction)thing_o, METH_O},
                                      {"varargs", (PyCFunction)thing_varargs, METH_VARARGS},
                                      {"keywords", (PyCFunction)(void (*)(void))thing_keywords, METH_VARARGS | METH_KEYWORDS},
                                      {"fast", (PyCFunction)(void (*)(void))thing_fast, METH_FASTCALL},
                                      {"fastkw", (PyCFunction)(void (*)(void))thing_fastkw, METH_FASTCALL | METH_KEYWORDS},
                                      {"cls", (PyCFunction)thing_class, METH_NOARGS | METH_CLASS},
                                      {"static", thing_static, METH_O | METH_STATIC},
                                      {NULL}};
static PyNumberMethods thing_number = {.nb_add = thing_add};
static PySequenceMethods thing_sequence = {.sq_length = (lenfunc)thing_len, .sq_item = (ssizeargfunc)thing_item};
static PyTypeObject Thing_Type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "c_types.Thing",
    .tp_basicsize = sizeof(Thing),
    .tp_dealloc = (destructor)thing_dealloc,
    .tp_repr = (reprfunc)thing_repr,
    .tp_as_number = &thing_number,
    .tp_as_sequence = &thing_sequence,
    .tp_hash = (hashfunc)thing_hash,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .tp_doc = "Thing(number=0, object=None)\n--\n\nA thing.",
    .tp_traverse = (traverseproc)thing_traverse,
    .tp_clear = (inquiry)thing_clear,
    .tp_richcompare = thing_richcompare,
    .tp_weaklistoffset = offsetof(Thing, weakrefs),
    .tp_methods = thing_methods,
    .tp_members = thing_members,
    .tp_getset = thing_getset,
    .tp_dictoffset = offsetof(Thing, dict),
    .tp_init = (initproc)thing_init,
    .tp_new = PyType_GenericNew,
};

static PyObject *make(int number)
{
    if (PyType_Ready(&Thing_Type) < 0)
        return NULL;
    return PyObject_CallFunction((PyObject *)&Thing_Type, "i", number);
}
#define WITH_THING(number, expression)                                                           \
    PyObject *thing = make(number);                                                              \
    if (thing == NULL)                                                                           \
        return NULL;                                                                             \
    PyObject *result = (expression);                                                             \
    Py_DECREF(thing);                                                                            \
    return result;

PROBE(t_repr) { WITH_THING(5, PyObject_Repr(thing)) }
PROBE(t_add) { WITH_THING(5, PyNumber_Add(thing, Py_BuildValue("i", 3))) }
PROBE(t_add_wrong) { WITH_THING(5, PyNumber_Add(thing, Py_None)) }
PROBE(t_list) { WITH_THING(4, PySequence_List(thing)) }
PROBE(t_item) { WITH_THING(4, PySequence_GetItem(thing, -1)) }
PROBE(t_item_wrong) { WITH_THING(4, PySequence_GetItem(thing, 9)) }
PROBE(t_hash) { WITH_THING(4, PyLong_FromSsize_t(PyObject_Hash(thing))) }
PROBE(t_member) { WITH_THING(7, PyObject_GetAttrString(thing, "real")) }
PROBE(t_member_set)
{
    WITH_THING(7, PyObject_SetAttrString(thing, "number", PyLong_FromLong(70)) < 0 ? NULL : PyObject_GetAttrString(thing, "scaled"))
}
PROBE(t_member_type) { WITH_THING(7, PyObject_SetAttrString(thing, "number", Py_None) < 0 ? NULL : Py_NewRef(Py_None)) }
PROBE(t_member_readonly) { WITH_THING(7, PyObject_SetAttrString(thing, "real", Py_None) < 0 ? NULL : Py_NewRef(Py_None)) }
PROBE(t_member_bool) { WITH_THING(7, PyObject_SetAttrString(thing, "flag", PyLong_FromLong(1)) < 0 ? NULL : Py_NewRef(Py_None)) }
PROBE(t_member_deleted)
{
    WITH_THING(7, PyObject_DelAttrString(thing, "object") < 0 ? NULL : PyObject_GetAttrString(thing, "object"))
}
PROBE(t_getset_delete) { WITH_THING(7, PyObject_DelAttrString(thing, "scaled") < 0 ? NULL : Py_NewRef(Py_None)) }
PROBE(t_dict)
{
    WITH_THING(7, PyObject_SetAttrString(thing, "extra", Py_True) < 0 ? NULL : PyObject_GetAttrString(thing, "__dict__"))
}
PROBE(t_missing) { WITH_THING(7, PyObject_GetAttrString(thing, "nothing")) }
PROBE(m_noargs) { WITH_THING(7, PyObject_CallMethod(thing, "noargs", NULL)) }
PROBE(m_noargs_given) { WITH_THING(7, PyObject_CallMethod(thing, "noargs", "i", 1)) }
PROBE(m_o) { WITH_THING(7, PyObject_CallMethod(thing, "o", "i", 1)) }
PROBE(m_o_none) { WITH_THING(7, PyObject_CallMethod(thing, "o", NULL)) }
PROBE(m_varargs) { WITH_THING(7, PyObject_CallMethod(thing, "varargs", "iis", 1, 2, "x")) }
PROBE(m_keywords)
{
    WITH_THING(7, PyObject_Call(PyObject_GetAttrString(thing, "keywords"), Py_BuildValue("(i)", 1), Py_BuildValue("{s:i}", "a", 2)))
}
PROBE(m_fast) { WITH_THING(7, PyObject_CallMethod(thing, "fast", "iii", 1, 2, 3)) }
PROBE(m_fast_keyword)
{
    WITH_THING(7, PyObject_Call(PyObject_GetAttrString(thing, "fast"), Py_BuildValue("(i)", 1), Py_BuildValue("{s:i}", "a", 2)))
}
PROBE(m_fastkw)
{
    WITH_THING(7, PyObject_Call(PyObject_GetAttrString(thing, "fastkw"), Py_BuildValue("(i)", 1), Py_BuildValue("{s:i}", "a", 2)))
}
PROBE(m_class) { WITH_THING(7, PyObject_CallMethod(thing, "cls", NULL)) }
PROBE(m_static) { WITH_THING(7, PyObject_CallMethod(thing, "static", "i", 3)) }
PROBE(m_doc) { WITH_THING(7, PyObject_GetAttrString(PyObject_GetAttrString(thing, "noargs"), "__doc__")) }
PROBE(m_signature) { WITH_THING(7, PyObject_GetAttrString(PyObject_GetAttrString(thing, "noargs"), "__text_signature__")) }
PROBE(m_qualname) { WITH_THING(7, PyObject_GetAttrString(PyObject_GetAttrString(thing, "noargs"), "__qualname__")) }
PROBE(type_repr) { WITH_THING(1, PyObject_Repr((PyObject *)&Thing_Type)) }
PROBE(type_module) { WITH_THING(1, PyObject_GetAttrString((PyObject *)&Thing_Type, "__module__")) }
PROBE(type_doc) { WITH_THING(1, PyObject_GetAttrString((PyObject *)&Thing_Type, "__doc__")) }
PROBE(type_immutable) { WITH_THING(1, PyObject_SetAttrString((PyObject *)&Thing_Type, "x", Py_None) < 0 ? NULL : Py_NewRef(Py_None)) }
PROBE(subclass)
{
    PyObject *class = PyObject_CallFunction((PyObject *)&PyType_Type, "s(O){s:i,s:s}", "Sub", &Thing_Type, "extra", 5, "__module__", "m");
    if (class == NULL)
        return NULL;
    PyObject *object = PyObject_CallFunction(class, "i", 9);
    if (object == NULL)
        return NULL;
    PyObject *result = Py_BuildValue("(NNNN)", PyObject_Repr(object), PyObject_GetAttrString(object, "extra"),
                                     PyNumber_Add(object, Py_BuildValue("i", 1)), PyObject_GetAttrString(class, "__mro__"));
    int before = n_dead;
    Py_DECREF(object);
    Py_DECREF(class);
    if (n_dead != before + 1)
        return PyErr_Format(PyExc_AssertionError, "dead %d before %d", n_dead, before);
    return result;
}
PROBE(lifetime)
{
    int before = n_dead;
    PyObject *thing = make(1);
    PyObject *reference = PyWeakref_NewRef(thing, NULL);
    PyObject *alive = NULL;
    int found = PyWeakref_GetRef(reference, &alive);
    Py_XDECREF(alive);
    Py_DECREF(thing);
    int dead = n_dead - before;
    PyObject *gone = (PyObject *)&alive;
    int found_after = PyWeakref_GetRef(reference, &gone);
    Py_DECREF(reference);
    return Py_BuildValue("iiii", found, dead, found_after, gone == NULL);
}
PROBE(cycle)
{
    int before = n_dead;
    PyObject *thing = make(1);
    if (PyObject_SetAttrString(thing, "object", thing) < 0)
        return NULL;
    int tracked = PyObject_GC_IsTracked(thing);
    Py_DECREF(thing);
    int still = n_dead - before;
    PyGC_Collect();
    return Py_BuildValue("iii", tracked, still, n_dead - before);
}

/* A heap type from a specification. */
typedef struct {
    PyObject_HEAD
    PyObject *value;
} Box;
static void box_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_CLEAR(((Box *)self)->value);
    type->tp_free(self);
    Py_DECREF(type);
}
static int box_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Box *)self)->value);
    return 0;
}
static PyObject *box_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    Box *self = (Box *)type->tp_alloc(type, 0);
    PyObject *value = Py_None;
    if (self == NULL || !PyArg_ParseTuple(args, "|O", &value))
        return NULL;
    self->value = Py_NewRef(value);
    return (PyObject *)self;
}
static PyObject *box_call(PyObject *self, PyObject *args, PyObject *kwargs) { return Py_NewRef(args); }
static PyObject *box_iter(PyObject *self) { return PyObject_GetIter(((Box *)self)->value); }
static PyObject *box_get(PyObject *self, PyObject *key) { return Py_BuildValue("OO", ((Box *)self)->value, key); }
static PyMemberDef box_members[] = {{"value", Py_T_OBJECT_EX, offsetof(Box, value)}, {NULL}};
static PyType_Slot box_slots[] = {{Py_tp_dealloc, box_dealloc}, {Py_tp_traverse, box_traverse}, {Py_tp_new, box_new},
                                  {Py_tp_call, box_call},       {Py_tp_iter, box_iter},         {Py_mp_subscript, box_get},
                                  {Py_tp_members, box_members}, {Py_tp_doc, "A box."},          {0}};
static PyType_Spec box_spec = {"c_types.inner.Box", sizeof(Box), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC, box_slots};

static PyObject *box_type(void)
{
    static PyObject *type = NULL;
    if (type == NULL)
        type = PyType_FromSpec(&box_spec);
    return Py_XNewRef(type);
}
PROBE(spec_type)
{
    PyObject *type = box_type();
    if (type == NULL)
        return NULL;
    return Py_BuildValue("NNNNNN", PyObject_Repr(type), PyObject_GetAttrString(type, "__module__"), PyObject_GetAttrString(type, "__qualname__"),
                         PyObject_GetAttrString(type, "__doc__"), PyType_GetName((PyTypeObject *)type), PyObject_GetAttrString(type, "__basicsize__"));
}
PROBE(spec_instance)
{
    PyObject *type = box_type();
    PyObject *box = PyObject_CallFunction(type, "((ii))", 1, 2);
    if (box == NULL)
        return NULL;
    return Py_BuildValue("NNNN", PySequence_List(box), PyObject_GetItem(box, Py_True), PyObject_CallFunction(box, "is", 1, "x"),
                         PyObject_GetAttrString(box, "value"));
}
PROBE(spec_subclass)
{
    PyObject *type = box_type();
    PyObject *class = PyObject_CallFunction((PyObject *)&PyType_Type, "s(O){}", "SubBox", type);
    if (class == NULL)
        return NULL;
    PyObject *object = PyObject_CallFunction(class, "i", 4);
    if (object == NULL || PyObject_SetAttrString(object, "free", Py_True) < 0)
        return NULL;
    PyObject *result = Py_BuildValue("NN", PyObject_GetAttrString(object, "value"), PyObject_GetAttrString(object, "__dict__"));
    Py_DECREF(object);
    Py_DECREF(class);
    return result;
}
PROBE(spec_mutable)
{
    PyObject *type = box_type();
    if (PyObject_SetAttrString(type, "added", Py_True) < 0)
        return NULL;
    return PyObject_GetAttrString(type, "added");
}
PROBE(spec_slots)
{
    PyTypeObject *type = (PyTypeObject *)box_type();
    return Py_BuildValue("iiii", PyType_GetSlot(type, Py_tp_call) == (void *)box_call, PyType_GetSlot(type, Py_nb_add) == NULL,
                         PyType_GetSlot(type, Py_mp_subscript) == (void *)box_get, PyType_GetSlot(type, Py_tp_new) == (void *)box_new);
}
static PyType_Slot bad_slots[] = {{9999, box_call}, {0}};
static PyType_Spec bad_spec = {"c_types.Bad", 0, 0, Py_TPFLAGS_DEFAULT, bad_slots};
PROBE(spec_bad) { return PyType_FromSpec(&bad_spec); }
static PyType_Slot none_slots[] = {{0}};
static PyType_Spec from_bool_spec = {"c_types.FromBool", 0, 0, Py_TPFLAGS_DEFAULT, none_slots};
PROBE(spec_base_refused) { return PyType_FromSpecWithBases(&from_bool_spec, (PyObject *)&PyBool_Type); }
PROBE(spec_int_subclass)
{
    PyObject *type = PyType_FromSpecWithBases(&from_bool_spec, (PyObject *)&PyLong_Type);
    if (type == NULL)
        return NULL;
    PyObject *number = PyObject_CallFunction(type, "i", 41);
    return number ? PyNumber_Add(number, Py_True) : NULL;
}

static PyMethodDef rows[] = {
    ROW(t_repr), ROW(t_add), ROW(t_add_wrong), ROW(t_list), ROW(t_item), ROW(t_item_wrong), ROW(t_hash), ROW(t_member), ROW(t_member_set),
    ROW(t_member_type), ROW(t_member_readonly), ROW(t_member_bool), ROW(t_member_deleted), ROW(t_getset_delete), ROW(t_dict), ROW(t_missing),
    ROW(m_noargs), ROW(m_noargs_given), ROW(m_o), ROW(m_o_none), ROW(m_varargs), ROW(m_keywords), ROW(m_fast), ROW(m_fast_keyword),
    ROW(m_fastkw), ROW(m_class), ROW(m_static), ROW(m_doc), ROW(m_signature), ROW(m_qualname), ROW(type_repr), ROW(type_module),
    ROW(type_doc), ROW(type_immutable), ROW(subclass), ROW(lifetime), ROW(cycle), ROW(spec_type), ROW(spec_instance), ROW(spec_subclass),
    ROW(spec_mutable), ROW(spec_slots), ROW(spec_bad), ROW(spec_base_refused), ROW(spec_int_subclass), {NULL}};
MODULE(c_types)
