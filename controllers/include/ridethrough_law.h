/* A fast law of one's own: what it is given in every tick, what it answers, and how it is handed over.
 *
 * A law is a function of the type law_fn. It may keep what it likes in `state`, must not block, allocate, or call Python,
 * and answers in `out`. Hand it over as a PyCapsule named RIDETHROUGH_LAW_CAPSULE whose pointer is the function.
 * docs/laws.md shows one from end to end.
 *
 * Both structs begin with their size and version. Within a version fields are only ever appended: a law that was compiled
 * with an older header goes on to work, and one that needs a newer field can ask struct_size for it.
 */
#ifndef RIDETHROUGH_LAW_H
#define RIDETHROUGH_LAW_H

#include <stdint.h>

#define RIDETHROUGH_LAW_VERSION 1
#define RIDETHROUGH_LAW_CAPSULE "ridethrough.law.1"

/* As of the end of the last tick. Powers discharge > 0; the load consumes > 0. */
typedef struct signals_t {
    uint32_t struct_size;
    uint32_t version;
    int64_t tick;             /* the tick that is about to run */
    double time_s;            /* at which it begins */
    double load_w;            /* the load as the absorber measures it: its filter, its delay */
    double voltage_pu;        /* at the bus, positive sequence, measured */
    double frequency_hz;      /* measured */
    double power_w;           /* what the device delivers */
    double setpoint_w;        /* its set-point behind the ramp: the bias to which the answer is added */
    double soc;               /* state of charge, 0 to 1 */
    double rating_va;
    double charge_max_w;      /* most it charges, a positive number */
    double discharge_max_w;   /* most it discharges */
} signals_t;

typedef struct command_t {
    uint32_t struct_size;
    uint32_t version;
    double power_w;           /* wanted of the storage, discharge > 0; what is not finite counts as zero and as a fault */
} command_t;

/* dt: seconds since the law was last called (its update period). */
typedef void (*law_fn)(void *state, const void *params, const signals_t *in, command_t *out, double dt);

#endif
