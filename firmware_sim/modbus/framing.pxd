"""What the two framings share."""

from firmware_sim.modbus.engine cimport Units

cdef class Framing:
    cdef Units _units
    cdef object _allowed
    cdef bytearray _room
    cdef object _whole
    cdef int _begin
    cdef int _end
    cdef readonly long long completed
    cdef readonly bint broken

    cdef int next(self) noexcept
    cdef tuple taken(self, int size)
    cdef int replied(self, int size, unsigned char* frame) except -1
    cdef const unsigned char* here(self) noexcept
