//! `_types`: names for built-in types that are no built-in names.

use adder_interp::frameobject::PyFrame_Type;
use adder_interp::genobject::{PyCoro_Type, PyGen_Type};
use adder_runtime::objects::capsule::PyCapsule_Type;
use adder_runtime::objects::cellobject::PyCell_Type;
use adder_runtime::objects::classobject::PyMethod_Type;
use adder_runtime::objects::descrobject::*;
use adder_runtime::objects::funcobject::PyFunction_Type;
use adder_runtime::objects::genericaliasobject::Py_GenericAliasType;
use adder_runtime::objects::mappingproxy::PyDictProxy_Type;
use adder_runtime::objects::methodobject::PyCFunction_Type;
use adder_runtime::objects::moduleobject::PyModule_Type;
use adder_runtime::objects::namespaceobject::_PyNamespace_Type;
use adder_runtime::objects::singletons::{ellipsis, none, not_implemented};
use adder_runtime::objects::traceback::PyTraceBack_Type;
use adder_runtime::objects::unionobject::_PyUnion_Type;
use adder_runtime::prelude::*;

/// Names for built-in types.
#[pymodule(name = "_types")]
pub mod _types {
    use super::*;

    #[pyexec]
    fn exec(module: &PyModuleObject) -> PyResult<()> {
        let types: [(&str, &PyTypeObject); 27] = [
            ("AsyncGeneratorType", &adder_interp::asyncgen::PyAsyncGen_Type),
            ("BuiltinFunctionType", &PyCFunction_Type),
            ("BuiltinMethodType", &PyCFunction_Type),
            ("CapsuleType", &PyCapsule_Type),
            ("CellType", &PyCell_Type),
            ("ClassMethodDescriptorType", &PyClassMethodDescr_Type),
            ("CodeType", PyCodeObject::type_object()),
            ("CoroutineType", &PyCoro_Type),
            ("EllipsisType", ellipsis().ty()),
            ("FrameType", &PyFrame_Type),
            ("FunctionType", &PyFunction_Type),
            ("GeneratorType", &PyGen_Type),
            ("GenericAlias", &Py_GenericAliasType),
            ("GetSetDescriptorType", &PyGetSetDescr_Type),
            ("LambdaType", &PyFunction_Type),
            ("MappingProxyType", &PyDictProxy_Type),
            ("MemberDescriptorType", &PyMemberDescr_Type),
            ("MethodDescriptorType", &PyMethodDescr_Type),
            ("MethodType", &PyMethod_Type),
            ("MethodWrapperType", &_PyMethodWrapper_Type),
            ("ModuleType", &PyModule_Type),
            ("NoneType", none().ty()),
            ("NotImplementedType", not_implemented().ty()),
            ("SimpleNamespace", &_PyNamespace_Type),
            ("TracebackType", &PyTraceBack_Type),
            ("UnionType", &_PyUnion_Type),
            ("WrapperDescriptorType", &PyWrapperDescr_Type),
        ];
        types.into_iter().try_for_each(|(name, ty)| module.add(name, ty.to_object()))
    }
}
