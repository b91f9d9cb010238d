/* The law ramp_limit once more, as a user would write it in C: an extension module with the capsule `step`.
 *
 *   cc -O2 -ffp-contract=off -shared -fPIC $(python3-config --includes) \
 *      -I"$(python -c 'import controllers.law as law; print(law.include())')" ramp_limit.c -o _ramp_limit.so
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include "ridethrough_law.h"

typedef struct {
    double grid_w; /* the grid's share of the load */
} state_t;

typedef struct {
    double ramp_w_per_s;
} params_t;

static void step(void *memory, const void *settings, const signals_t *in, command_t *out, double dt)
{
    state_t *state = memory;
    const params_t *params = settings;
    const double most = params->ramp_w_per_s * dt;
    double change = in->load_w - state->grid_w;
    if (change > most)
        change = most;
    else if (change < -most)
        change = -most;
    state->grid_w += change;
    out->power_w = in->load_w - state->grid_w;
}

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_ramp_limit", NULL, -1, NULL, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__ramp_limit(void)
{
    PyObject *made = PyModule_Create(&module);
    if (made == NULL)
        return NULL;
    if (PyModule_AddObject(made, "step", PyCapsule_New((void *)step, RIDETHROUGH_LAW_CAPSULE, NULL)) < 0) {
        Py_DECREF(made);
        return NULL;
    }
    return made;
}
