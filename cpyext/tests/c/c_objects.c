#include "probe.h"

/* The abstract protocols and the containers. */
#define OBJ(format, ...) Py_BuildValue(format, __VA_ARGS__)
#define BOOL(expression) PyObject *result = NULL; int truth = (expression); if (truth >= 0) result = PyLong_FromLong(truth); return result;

PROBE(number_ops)
{
    PyObject *a = OBJ("i", 17), *b = OBJ("i", 5);
    return Py_BuildValue("(NNNNNNNNNNNNNN)", PyNumber_Add(a, b), PyNumber_Subtract(a, b), PyNumber_Multiply(a, b), PyNumber_FloorDivide(a, b),
                         PyNumber_TrueDivide(a, b), PyNumber_Remainder(a, b), PyNumber_Divmod(a, b), PyNumber_Power(a, b, Py_None),
                         PyNumber_Lshift(a, b), PyNumber_Rshift(a, b), PyNumber_And(a, b), PyNumber_Or(a, b), PyNumber_Xor(a, b),
                         PyNumber_Negative(a));
}
PROBE(number_wrong) { return PyNumber_Add(OBJ("i", 1), OBJ("s", "x")); }
PROBE(number_inplace_wrong) { return PyNumber_InPlaceSubtract(OBJ("i", 1), OBJ("s", "x")); }
PROBE(number_convert)
{
    return Py_BuildValue("(NNNN)", PyNumber_Long(OBJ("d", 3.9)), PyNumber_Float(OBJ("i", 3)), PyNumber_Index(Py_True),
                         PyNumber_ToBase(OBJ("i", 255), 16));
}
PROBE(number_index_wrong) { return PyNumber_Index(OBJ("d", 1.0)); }
PROBE(as_ssize_overflow)
{
    PyObject *big = PyNumber_Lshift(OBJ("i", 1), OBJ("i", 100));
    Py_ssize_t n = PyNumber_AsSsize_t(big, PyExc_IndexError);
    return n == -1 && PyErr_Occurred() ? NULL : PyLong_FromSsize_t(n);
}
PROBE(as_ssize_clipped)
{
    PyObject *big = PyNumber_Lshift(OBJ("i", 1), OBJ("i", 100));
    return PyLong_FromSsize_t(PyNumber_AsSsize_t(big, NULL));
}
PROBE(sequence)
{
    PyObject *list = OBJ("[iiii]", 5, 6, 7, 6);
    return Py_BuildValue("(nnnNNiN)", PySequence_Size(list), PySequence_Index(list, OBJ("i", 7)), PySequence_Count(list, OBJ("i", 6)),
                         PySequence_GetSlice(list, 1, 3), PySequence_Repeat(list, 2), PySequence_Contains(list, OBJ("i", 9)),
                         PySequence_Concat(list, OBJ("[i]", 8)));
}
PROBE(sequence_index_wrong)
{
    Py_ssize_t index = PySequence_Index(OBJ("[i]", 1), OBJ("i", 2));
    return index < 0 ? NULL : PyLong_FromSsize_t(index);
}
PROBE(sequence_not) { Py_ssize_t n = PySequence_Size(OBJ("i", 1)); return n < 0 ? NULL : PyLong_FromSsize_t(n); }
PROBE(sequence_fast_wrong) { return PySequence_Fast(OBJ("i", 1), "not a sequence"); }
PROBE(sequence_tuple) { return PySequence_Tuple(OBJ("s", "abc")); }
PROBE(mapping)
{
    PyObject *dict = OBJ("{s:i,s:i}", "a", 1, "b", 2), *found = NULL;
    int has = PyMapping_GetOptionalItemString(dict, "zz", &found);
    return Py_BuildValue("(nNNNiii)", PyMapping_Size(dict), PyMapping_Keys(dict), PyMapping_Items(dict), PyMapping_GetItemString(dict, "b"),
                         PyMapping_HasKeyString(dict, "a"), has, found == NULL);
}
PROBE(mapping_missing) { return PyMapping_GetItemString(OBJ("{}", 0), "key"); }
PROBE(subscript_wrong) { return PyObject_GetItem(OBJ("i", 1), OBJ("i", 0)); }
PROBE(iterate)
{
    PyObject *iterator = PyObject_GetIter(OBJ("(ii)", 1, 2)), *sum = OBJ("[]", 0), *item;
    while ((item = PyIter_Next(iterator)) != NULL)
        PyList_Append(sum, item);
    PyObject *last;
    int status = PyIter_NextItem(iterator, &last);
    return Py_BuildValue("(Nii)", sum, status, PyErr_Occurred() != NULL);
}
PROBE(iterate_wrong) { return PyObject_GetIter(OBJ("i", 1)); }
PROBE(attributes)
{
    PyObject *value = NULL;
    int found = PyObject_GetOptionalAttrString(Py_None, "nothing", &value);
    return Py_BuildValue("(iiii)", found, value == NULL, PyObject_HasAttrString(Py_None, "__class__"), PyObject_HasAttrString(Py_None, "x"));
}
PROBE(attribute_missing) { return PyObject_GetAttrString(Py_None, "nothing"); }
PROBE(attribute_set) { return PyObject_SetAttrString(Py_None, "nothing", Py_None) < 0 ? NULL : Py_NewRef(Py_None); }
PROBE(compare)
{
    PyObject *a = OBJ("i", 1), *b = OBJ("i", 2);
    return Py_BuildValue("(NNiii)", PyObject_RichCompare(a, b, Py_LT), PyObject_RichCompare(a, b, Py_EQ), PyObject_RichCompareBool(a, b, Py_NE),
                         PyObject_IsTrue(a), PyObject_Not(a));
}
PROBE(compare_wrong) { return PyObject_RichCompare(OBJ("i", 1), Py_None, Py_LT); }
PROBE(hash_wrong) { Py_hash_t hash = PyObject_Hash(OBJ("[]", 0)); return hash == -1 ? NULL : PyLong_FromSsize_t(hash); }
PROBE(instances)
{
    return Py_BuildValue("(iiii)", PyObject_IsInstance(Py_True, (PyObject *)&PyLong_Type),
                         PyObject_IsInstance(Py_True, OBJ("(OO)", &PyList_Type, &PyBool_Type)),
                         PyObject_IsSubclass((PyObject *)&PyBool_Type, (PyObject *)&PyLong_Type), PyObject_IsInstance(Py_None, (PyObject *)&PyLong_Type));
}
PROBE(instance_wrong) { BOOL(PyObject_IsInstance(Py_True, Py_None)) }
PROBE(text)
{
    PyObject *text = OBJ("s", "caf\xc3\xa9");
    return Py_BuildValue("(NNNNN)", PyObject_Str(text), PyObject_Repr(text), PyObject_ASCII(text), PyObject_Format(OBJ("i", 255), OBJ("s", "x")),
                         PyObject_Type(text));
}
PROBE(text_null) { return Py_BuildValue("(NN)", PyObject_Str(NULL), PyObject_Repr(NULL)); }
PROBE(bytes_of) { return PyObject_Bytes(OBJ("[ii]", 1, 2)); }
PROBE(call_wrong) { return PyObject_CallNoArgs(OBJ("i", 1)); }
PROBE(call_one) { return PyObject_CallOneArg((PyObject *)&PyTuple_Type, OBJ("s", "ab")); }
PROBE(call_object_wrong) { return PyObject_CallObject((PyObject *)&PyTuple_Type, OBJ("i", 1)); }
PROBE(vectorcall_method)
{
    PyObject *args[] = {OBJ("s", "a-b"), OBJ("s", "-"), NULL};
    return PyObject_VectorcallMethod(OBJ("s", "split"), args, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}
PROBE(vectorcall_keywords)
{
    PyObject *args[] = {OBJ("s", "12"), OBJ("i", 5)};
    return PyObject_Vectorcall((PyObject *)&PyLong_Type, args, 1, OBJ("(s)", "base"));
}
PROBE(vectorcall_dict)
{
    PyObject *args[] = {OBJ("s", "12")};
    return PyObject_VectorcallDict((PyObject *)&PyLong_Type, args, 1, OBJ("{s:i}", "base", 6));
}
PROBE(constants)
{
    return Py_BuildValue("(NNNNNNN)", Py_GetConstant(Py_CONSTANT_NONE), Py_GetConstant(Py_CONSTANT_ELLIPSIS), Py_GetConstant(Py_CONSTANT_ONE),
                         Py_GetConstant(Py_CONSTANT_EMPTY_STR), Py_GetConstant(Py_CONSTANT_EMPTY_BYTES), Py_GetConstant(Py_CONSTANT_EMPTY_TUPLE),
                         Py_GetConstant(Py_CONSTANT_FALSE));
}

PROBE(list_fill)
{
    PyObject *list = PyList_New(3);
    for (int i = 0; i < 3; i++)
        PyList_SET_ITEM(list, i, PyLong_FromLong(i * 1000));
    PyList_Append(list, Py_None);
    PyList_Insert(list, -100, Py_True);
    PyList_Insert(list, 100, Py_False);
    PyList_SetItem(list, 1, OBJ("s", "one"));
    PyList_Reverse(list);
    PyList_SetSlice(list, 0, 1, OBJ("(ss)", "x", "y"));
    PyObject *tuple = PyList_AsTuple(list);
    PyList_SetSlice(list, 1, 100, NULL);
    return Py_BuildValue("(NNnO)", tuple, PyList_GetSlice(list, -5, 10), PyList_Size(list), PyList_GetItem(list, 0));
}
PROBE(list_sort) { PyObject *list = OBJ("[iii]", 3, 1, 2); PyList_Sort(list); return list; }
PROBE(list_sort_wrong) { return PyList_Sort(OBJ("[is]", 3, "x")) < 0 ? NULL : Py_NewRef(Py_None); }
PROBE(list_range) { return Py_XNewRef(PyList_GetItem(OBJ("[i]", 3), 1)); }
PROBE(list_set_range) { return PyList_SetItem(OBJ("[i]", 3), 1, OBJ("i", 1)) < 0 ? NULL : Py_NewRef(Py_None); }
PROBE(list_item_ref) { return PyList_GetItemRef(OBJ("[i]", 3), -1); }
PROBE(tuple_fill)
{
    PyObject *tuple = PyTuple_New(2);
    PyTuple_SET_ITEM(tuple, 0, OBJ("i", 1));
    PyTuple_SetItem(tuple, 1, OBJ("i", 2));
    PyObject *slice = PyTuple_GetSlice(tuple, 1, 9);
    _PyTuple_Resize(&tuple, 1);
    return Py_BuildValue("(NNnN)", slice, tuple, PyTuple_Size(tuple), PyTuple_New(0));
}
PROBE(tuple_range) { return Py_XNewRef(PyTuple_GetItem(OBJ("(i)", 3), 1)); }
PROBE(dict_ops)
{
    PyObject *dict = PyDict_New(), *key = OBJ("s", "key"), *value, *popped, *stored;
    PyDict_SetItem(dict, key, OBJ("i", 1));
    PyDict_SetItemString(dict, "other", Py_None);
    int found = PyDict_GetItemStringRef(dict, "key", &value);
    int missing = PyDict_GetItemRef(dict, Py_None, &popped);
    int set = PyDict_SetDefaultRef(dict, OBJ("i", 5), Py_True, &stored);
    PyObject *again = PyDict_SetDefault(dict, OBJ("i", 5), Py_False);
    int pop = PyDict_PopString(dict, "other", &popped);
    int deleted = PyDict_DelItemString(dict, "key");
    return Py_BuildValue("(NiNiiNOiNin)", dict, found, value, missing, set, stored, again, pop, popped, deleted, PyDict_Size(dict));
}
PROBE(dict_next)
{
    PyObject *dict = OBJ("{s:i,s:i,s:i}", "a", 1, "b", 2, "c", 3), *key, *value, *seen = PyList_New(0);
    PyDict_DelItemString(dict, "b");
    Py_ssize_t position = 0;
    while (PyDict_Next(dict, &position, &key, &value)) {
        PyList_Append(seen, key);
        PyList_Append(seen, value);
    }
    return seen;
}
PROBE(dict_merge)
{
    PyObject *a = OBJ("{s:i,s:i}", "x", 1, "y", 2), *b = OBJ("{s:i,s:i}", "y", 3, "z", 4);
    PyObject *copy = PyDict_Copy(a);
    PyDict_Merge(copy, b, 0);
    PyDict_Update(a, b);
    PyDict_MergeFromSeq2(a, OBJ("[(si)(si)]", "q", 7, "x", 8), 1);
    return Py_BuildValue("(NNNNN)", a, copy, PyDict_Keys(b), PyDict_Values(b), PyDict_Items(b));
}
PROBE(dict_merge_wrong) { return PyDict_MergeFromSeq2(PyDict_New(), OBJ("[(i)]", 1), 1) < 0 ? NULL : Py_NewRef(Py_None); }
PROBE(dict_missing) { return PyDict_DelItemString(PyDict_New(), "x") < 0 ? NULL : Py_NewRef(Py_None); }
PROBE(dict_unhashable) { return PyDict_SetItem(PyDict_New(), PyList_New(0), Py_None) < 0 ? NULL : Py_NewRef(Py_None); }
PROBE(dict_quiet) { PyObject *value = PyDict_GetItem(PyDict_New(), PyList_New(0)); return Py_BuildValue("ii", value == NULL, PyErr_Occurred() == NULL); }
PROBE(set_ops)
{
    PyObject *set = PySet_New(OBJ("(ii)", 1, 2)), *frozen = PyFrozenSet_New(OBJ("s", "a"));
    PySet_Add(set, Py_None);
    int discarded = PySet_Discard(set, OBJ("i", 1)), again = PySet_Discard(set, OBJ("i", 1));
    int has = PySet_Contains(set, OBJ("i", 2));
    Py_ssize_t size = PySet_Size(set);
    PySet_Clear(set);
    return Py_BuildValue("(iiinNN)", discarded, again, has, size, set, frozen);
}
PROBE(set_pop_empty) { return PySet_Pop(PySet_New(NULL)); }
PROBE(slices)
{
    PyObject *slice = PySlice_New(OBJ("i", -3), NULL, OBJ("i", 2));
    Py_ssize_t start, stop, step;
    if (PySlice_Unpack(slice, &start, &stop, &step) < 0)
        return NULL;
    Py_ssize_t n = PySlice_AdjustIndices(10, &start, &stop, step);
    return Py_BuildValue("(Nnnnn)", slice, start, stop, step, n);
}
PROBE(slice_zero) { Py_ssize_t a, b, c; return PySlice_Unpack(PySlice_New(NULL, NULL, OBJ("i", 0)), &a, &b, &c) < 0 ? NULL : Py_NewRef(Py_None); }
PROBE(capsule)
{
    static int value = 42;
    PyObject *capsule = PyCapsule_New(&value, "module.attribute", NULL);
    PyCapsule_SetContext(capsule, &value);
    int *found = PyCapsule_GetPointer(capsule, "module.attribute");
    return Py_BuildValue("(iisii)", *found, PyCapsule_IsValid(capsule, "other"), PyCapsule_GetName(capsule), PyCapsule_GetContext(capsule) == &value,
                         PyCapsule_CheckExact(capsule));
}
PROBE(capsule_wrong_name) { static int v; return PyCapsule_GetPointer(PyCapsule_New(&v, "a", NULL), "b") ? Py_None : NULL; }
PROBE(capsule_not) { return PyCapsule_GetPointer(Py_None, "b") ? Py_None : NULL; }
PROBE(capsule_null) { return PyCapsule_New(NULL, "b", NULL); }
PROBE(proxy) { return PyDictProxy_New(OBJ("{s:i}", "a", 1)); }
PROBE(alias) { return Py_GenericAlias((PyObject *)&PyList_Type, (PyObject *)&PyLong_Type); }
PROBE(cell) { PyObject *cell = PyCell_New(Py_True); PyObject *old = PyCell_Get(cell); PyCell_Set(cell, Py_None); return Py_BuildValue("(NN)", old, PyCell_Get(cell)); }
PROBE(bound) { PyObject *bound = PyMethod_New((PyObject *)&PyTuple_Type, OBJ("s", "ab")); return PyObject_CallNoArgs(bound); }
static PyObject *native(PyObject *self, PyObject *arg) { return Py_BuildValue("OO", self ? self : Py_None, arg); }
static PyMethodDef native_def = {"native", native, METH_O, "native($module, x, /)\n--\n\nDocumented."};
PROBE(c_function)
{
    PyObject *function = PyCFunction_NewEx(&native_def, Py_Ellipsis, OBJ("s", "mod"));
    return Py_BuildValue("(NNNNi)", PyObject_CallOneArg(function, Py_True), PyObject_GetAttrString(function, "__module__"),
                         PyObject_GetAttrString(function, "__doc__"), PyObject_GetAttrString(function, "__text_signature__"),
                         PyCFunction_GetFunction(function) == native);
}
PROBE(iterators)
{
    return Py_BuildValue("(NN)", PySequence_List(PySeqIter_New(OBJ("(ii)", 1, 2))), PySequence_List(PyCallIter_New((PyObject *)&PyList_Type, OBJ("[]", 0))));
}

static PyMethodDef rows[] = {
    ROW(number_ops), ROW(number_wrong), ROW(number_inplace_wrong), ROW(number_convert), ROW(number_index_wrong), ROW(as_ssize_overflow),
    ROW(as_ssize_clipped), ROW(sequence), ROW(sequence_index_wrong), ROW(sequence_not), ROW(sequence_fast_wrong), ROW(sequence_tuple),
    ROW(mapping), ROW(mapping_missing), ROW(subscript_wrong), ROW(iterate), ROW(iterate_wrong), ROW(attributes), ROW(attribute_missing),
    ROW(attribute_set), ROW(compare), ROW(compare_wrong), ROW(hash_wrong), ROW(instances), ROW(instance_wrong), ROW(text), ROW(text_null),
    ROW(bytes_of), ROW(call_wrong), ROW(call_one), ROW(call_object_wrong), ROW(vectorcall_method), ROW(vectorcall_keywords),
    ROW(vectorcall_dict), ROW(constants), ROW(list_fill), ROW(list_sort), ROW(list_sort_wrong), ROW(list_range), ROW(list_set_range),
    ROW(list_item_ref), ROW(tuple_fill), ROW(tuple_range), ROW(dict_ops), ROW(dict_next), ROW(dict_merge), ROW(dict_merge_wrong),
    ROW(dict_missing), ROW(dict_unhashable), ROW(dict_quiet), ROW(set_ops), ROW(set_pop_empty), ROW(slices), ROW(slice_zero), ROW(capsule),
    ROW(capsule_wrong_name), ROW(capsule_not), ROW(capsule_null), ROW(proxy), ROW(alias), ROW(cell), ROW(bound), ROW(c_function),
    ROW(iterators), {NULL}};
MODULE(c_objects)
