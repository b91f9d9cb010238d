"""Memory that stays where it is: locked pages, and pages that are there before a tick meets them.

See memory.pyi for the documented interface.
"""

from libc.stddef cimport size_t

cdef extern from *:
    """
    #include <errno.h>
    #include <sys/mman.h>
    #include <unistd.h>
    #if defined(MCL_ONFAULT) && !defined(RIDETHROUGH_PLAIN_UNIX)
    static int hil_lock_memory(void) { return mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) ? errno : 0; }
    static int hil_unlock_memory(void) { return munlockall() ? errno : 0; }
    #else
    static int hil_lock_memory(void) { return ENOTSUP; }
    static int hil_unlock_memory(void) { return ENOTSUP; }
    #endif
    static void hil_touch(void *from, size_t size) {
        volatile char *at = from;
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        if (size == 0)
            return;
        for (size_t i = 0; i < size; i += page)
            at[i] = at[i];
        at[size - 1] = at[size - 1];
    }
    """
    int hil_lock_memory() noexcept nogil
    int hil_unlock_memory() noexcept nogil
    void hil_touch(void* start, size_t size) noexcept nogil


def lock_memory():
    return hil_lock_memory()


def unlock_memory():
    return hil_unlock_memory()


def touch(unsigned char[::1] pages):
    if pages.shape[0] > 0:
        hil_touch(&pages[0], pages.shape[0])
