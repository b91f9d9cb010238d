/* Comes before a C file (-include), and makes one primitive of hil/kernel/shared.h wrong, so that it shows who notices.
 * The volatile keeps a compiler from asking once where it should ask again; ThreadSanitizer takes it for a plain access. */
#include "hil/kernel/shared.h"

#ifdef PLAIN_LOAD
#define hil_load_acquire(at) (*(const volatile int64_t *)(at))
#endif
#ifdef PLAIN_STORE
#define hil_store_release(at, value) (*(volatile int64_t *)(at) = (value))
#endif
#ifdef RELAXED_LOAD
#define hil_load_acquire(at) __atomic_load_n(at, __ATOMIC_RELAXED)
#endif
#ifdef RELAXED_STORE
#define hil_store_release(at, value) __atomic_store_n(at, value, __ATOMIC_RELAXED)
#endif
#ifdef PLAIN_COPY
static inline void plain_copy(void *to, const void *from, int64_t words)
{
    for (int64_t i = 0; i < words; i++)
        ((volatile hil_any_word *)to)[i] = ((const volatile hil_any_word *)from)[i];
}
#define hil_copy_words plain_copy
#endif
#ifdef READ_NOT_CHECKED
#define hil_read_holds(sequence, begun) ((void)(begun), 1)
#endif
