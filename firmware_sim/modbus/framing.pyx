"""Cutting requests from a stream of bytes and putting replies into frames: MBAP headers, and RTU frames with their CRC.

See framing.pyi for the documented interface.
"""

from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.string cimport memcpy, memmove

from firmware_sim.modbus.engine cimport Units

cdef enum:
    MBAP = 7  # bytes of the header (MODBUS Messaging on TCP/IP Implementation Guide V1.0b, section 3.1.3)
    LEAST_LENGTH = 2  # its length field: unit identifier and function code
    MOST_LENGTH = 254
    LEAST_RTU = 4  # unit, function, CRC
    MOST_RTU = 256  # MODBUS over Serial Line V1.02, section 2.5.1
    MOST_FRAME = 260  # an ADU on TCP (Application Protocol Specification V1.1b3, section 4.1)
    LENGTH_UNKNOWN = -1
    LENGTH_OPEN = 0
    ROOM = 8192  # bytes that are taken at once

cdef unsigned short CRC[256]


cdef void fill_crc() noexcept:
    cdef int byte, _
    cdef unsigned int value
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)  # Serial Line V1.02, section 6.2.2
        CRC[byte] = <unsigned short>value


fill_crc()


cdef unsigned int crc(const unsigned char* at, Py_ssize_t size) noexcept:
    cdef unsigned int value = 0xFFFF
    cdef Py_ssize_t index
    for index in range(size):
        value = value >> 8 ^ CRC[(value ^ at[index]) & 0xFF]
    return value


def crc16(bytes content):
    return crc(<const unsigned char*>PyBytes_AS_STRING(content), PyBytes_GET_SIZE(content))


cdef inline bint sound(const unsigned char* frame, Py_ssize_t size) noexcept:
    return crc(frame, size - 2) == <unsigned int>(frame[size - 2] | frame[size - 1] << 8)


cdef int rtu_length(const unsigned char* frame, int there) noexcept:
    """Length of the request that begins here, from its function code."""
    cdef int function = frame[1]
    if 1 <= function <= 6:
        return 8
    elif function == 15 or function == 16:
        return 9 + frame[6] if there > 6 else LENGTH_OPEN
    elif function == 22:
        return 10
    elif function == 23:
        return 13 + frame[10] if there > 10 else LENGTH_OPEN
    elif function == 43 and frame[2] == 14:
        return 7
    return LENGTH_UNKNOWN


cdef class Framing:
    def __init__(self, Units units, allowed=None):
        self._units = units
        self._allowed = allowed
        self._room = bytearray(ROOM)
        self._whole = memoryview(self._room)
        self._begin = self._end = 0
        self.completed = 0
        self.broken = False

    @property
    def partial(self):
        return self._begin < self._end

    def space(self):
        cdef unsigned char* room = <unsigned char*>PyByteArray_AS_STRING(self._room)
        if self._begin == self._end:
            self._begin = self._end = 0
            return self._whole
        memmove(room, room + self._begin, self._end - self._begin)
        self._end -= self._begin
        self._begin = 0
        return self._whole[self._end:]

    cdef int next(self) noexcept:
        """Length of the complete frame that comes next, 0: there is none yet."""
        return 0

    cdef tuple taken(self, int size):
        return None

    cdef int replied(self, int size, unsigned char* frame) except -1:
        """Writes the frame that answers one; returns its length, 0 for silence."""
        return 0

    cdef const unsigned char* here(self) noexcept:
        return <const unsigned char*>PyByteArray_AS_STRING(self._room) + self._begin

    def drop(self):
        self._begin = self._end

    def took(self, int count):
        self._end += count

    def cut(self):
        cdef int size = self.next()
        if size == 0:
            return None
        frame = self.taken(size)
        self._begin += size
        self.completed += 1
        return frame

    def answered(self, int count):
        cdef unsigned char frame[MOST_FRAME]
        cdef int size, length
        cdef bytes first = b""
        cdef bytearray replies = None
        self._end += count
        while True:
            size = self.next()
            if size == 0:
                break
            length = self.replied(size, frame)
            self._begin += size
            self.completed += 1
            if length == 0:
                continue
            if first:
                if replies is None:
                    replies = bytearray(first)
                replies += <bytes>frame[:length]
            else:
                first = <bytes>frame[:length]
        return first if replies is None else replies


cdef class Mbap(Framing):
    cdef int next(self) noexcept:
        cdef const unsigned char* at = self.here()
        cdef int there = self._end - self._begin
        cdef int length
        if there < MBAP or self.broken:
            return 0
        length = at[4] << 8 | at[5]
        if at[2] | at[3] or not LEAST_LENGTH <= length <= MOST_LENGTH:
            self.broken = True
            self._begin = self._end
            return 0
        return 6 + length if there >= 6 + length else 0

    cdef tuple taken(self, int size):
        cdef const unsigned char* at = self.here()
        return (at[0] << 8 | at[1], at[6], <bytes>at[MBAP:size])

    cdef int replied(self, int size, unsigned char* frame) except -1:
        cdef const unsigned char* at = self.here()
        cdef int length = self._units.reply(at[6], at + MBAP, size - MBAP, frame + MBAP, self._allowed)
        if length == 0:
            return 0
        memcpy(frame, at, MBAP)
        frame[4] = 0
        frame[5] = <unsigned char>(length + 1)
        return MBAP + length

    def rest(self):
        if self._begin < self._end:
            self.broken = True
            self._begin = self._end
        return None

    @staticmethod
    def frame(int transaction, int unit, bytes pdu):
        cdef int length = <int>PyBytes_GET_SIZE(pdu) + 1
        return bytes((transaction >> 8, transaction & 0xFF, 0, 0, length >> 8, length & 0xFF, unit)) + pdu


cdef class Rtu(Framing):
    cdef int next(self) noexcept:
        cdef const unsigned char* at = self.here()
        cdef int there = self._end - self._begin
        cdef int length
        if self.broken:
            self._begin = self._end
            return 0
        if there < LEAST_RTU:
            return 0
        length = rtu_length(at, there)
        if length > 0 and length <= there and length <= MOST_RTU and sound(at, length):
            return length
        if length == LENGTH_OPEN or there < length:
            return 0
        if there <= MOST_RTU and sound(at, there):  # of a length that its function does not have, or is not known to have
            return there
        if length != LENGTH_UNKNOWN or there > MOST_RTU:
            self.broken = True
            self._begin = self._end
        return 0

    cdef tuple taken(self, int size):
        cdef const unsigned char* at = self.here()
        return (0, at[0], <bytes>at[1:size - 2])

    cdef int replied(self, int size, unsigned char* frame) except -1:
        cdef const unsigned char* at = self.here()
        cdef int length = self._units.reply(at[0], at + 1, size - 3, frame + 1, self._allowed)
        cdef unsigned int check
        if length == 0:
            return 0
        frame[0] = at[0]
        check = crc(frame, length + 1)
        frame[length + 1] = check & 0xFF
        frame[length + 2] = check >> 8
        return length + 3

    def rest(self):
        cdef const unsigned char* at = self.here()
        cdef int there = self._end - self._begin
        frame = self.taken(there) if LEAST_RTU <= there <= MOST_RTU and sound(at, there) else None
        self._begin = self._end
        self.broken = False
        return frame

    @staticmethod
    def frame(int transaction, int unit, bytes pdu):
        content = bytes((unit,)) + pdu
        return content + crc16(content).to_bytes(2, "little")
