"""Units for the compiled framing, which hands requests over without making objects of them."""

cdef enum:
    MOST_PDU = 253  # bytes (MODBUS Application Protocol Specification V1.1b3, section 4.1)

cdef class Units:
    cdef dict _banks
    cdef bint _serial
    cdef bint _silent
    cdef public object refused
    cdef readonly unsigned long long requests

    cdef int reply(self, int unit, const unsigned char* request, int size, unsigned char* reply, object allowed) except -1
    cdef int _broadcast(self, const unsigned char* request, int size, unsigned char* reply, object allowed) except -1
