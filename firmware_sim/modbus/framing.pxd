"""What the two framings share."""

from firmware_sim.modbus.engine cimport Units

cdef class Framing:
    cdef Units _units
    cdef object _allowed
    cdef bytes _data
    cdef Py_ssize_t _at
    cdef readonly bint broken

    cdef int next(self) except -1
    cdef tuple taken(self, int size)
    cdef int replied(self, int size, unsigned char* frame) except -1
    cdef const unsigned char* here(self) noexcept
    cdef void drop(self) noexcept
