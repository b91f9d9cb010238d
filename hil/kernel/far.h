/* A call that is not inlined: what few sites or few ticks have stays out of the loop, whose registers it would take. */
#ifndef RIDETHROUGH_FAR_H
#define RIDETHROUGH_FAR_H

#define RIDETHROUGH_FAR(function) ({ __typeof__(&function) at = &function; __asm__("" : "+r"(at)); at; })

#endif
