/* Comes first in every C file of the checked build: where an overflow is found without the GIL, Cython 3.3 sets the error
 * without taking it, and the interpreter crashes. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static inline void checked_set_string(PyObject *type, const char *message)
{
    PyGILState_STATE state = PyGILState_Ensure();
    PyErr_SetString(type, message);
    PyGILState_Release(state);
}
#define PyErr_SetString checked_set_string
