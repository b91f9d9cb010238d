"""Modbus requests and replies without a transport (MODBUS Application Protocol Specification V1.1b3), and who answers them.

Checks go in the specification's order: function (01), quantity (03), address (02), value (03), device (04). Requests are read
where they lie and replies written where they leave from; Python objects are made for what a bank takes and gives.
See engine.pyi for the documented interface.
"""

import logging

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.string cimport memcpy

from firmware_sim.modbus.bank import ExceptionCode, ModbusFault, Table

LOG = logging.getLogger("firmware_sim.modbus")

cdef object COILS = Table.COILS
cdef object DISCRETE_INPUTS = Table.DISCRETE_INPUTS
cdef object HOLDING = Table.HOLDING
cdef object INPUT = Table.INPUT
cdef object ILLEGAL_FUNCTION = ExceptionCode.ILLEGAL_FUNCTION
cdef object ILLEGAL_ADDRESS = ExceptionCode.ILLEGAL_ADDRESS
cdef object ILLEGAL_VALUE = ExceptionCode.ILLEGAL_VALUE

cdef enum:  # quantities: sections 6.1 to 6.4, 6.11, 6.12 and 6.17
    MOST_BITS_READ = 2000
    MOST_READ = 125
    MOST_BITS_WRITTEN = 1968
    MOST_WRITTEN = 123
    MOST_WRITTEN_23 = 121
    ADDRESSES = 0x10000
    IDENTIFICATION = 14  # MEI type of function 43 (section 6.21)
    IDENTITY_HEADER = 7

cdef object BROADCAST = frozenset((5, 6, 15, 16, 22))  # what writes without reading back


cdef inline int word(const unsigned char* at) noexcept:
    return at[0] << 8 | at[1]


cdef int refuse(const unsigned char* request, object fault, unsigned char* reply) except -1:
    reply[0] = request[0] | 0x80
    reply[1] = fault.code
    return 2


cdef int need_length(bint right) except -1:
    if not right:
        raise ModbusFault(ILLEGAL_VALUE, "length of the request")
    return 0


cdef int need_quantity(int count, int most) except -1:
    if not 1 <= count <= most:
        raise ModbusFault(ILLEGAL_VALUE, f"quantity {count}, not 1 to {most}")
    return 0


cdef int need_size(int size, int expected, int there) except -1:
    if size != expected or there != expected:
        raise ModbusFault(ILLEGAL_VALUE, f"{size} bytes announced and {there} there, not {expected}")
    return 0


cdef int need_range(int address, int count) except -1:
    if address + count > ADDRESSES:
        raise ModbusFault(ILLEGAL_ADDRESS, f"addresses {address} to {address + count - 1}")
    return 0


cdef int put(object shown, int size, unsigned char* at) except -1:
    """What a bank gave, as it is."""
    cdef bytes content = shown
    if PyBytes_GET_SIZE(content) != size:
        raise ValueError(f"the bank gave {PyBytes_GET_SIZE(content)} bytes, not {size}")
    memcpy(at, PyBytes_AS_STRING(content), size)
    return size


cdef tuple words(const unsigned char* at, int count):
    return tuple([word(at + 2 * index) for index in range(count)])


cdef int read(object bank, object table, bint bits, const unsigned char* request, int size, unsigned char* reply) except -1:
    cdef int address, count
    need_length(size == 5)
    address, count = word(request + 1), word(request + 3)
    need_quantity(count, MOST_BITS_READ if bits else MOST_READ)
    need_range(address, count)
    reply[0] = request[0]
    reply[1] = <unsigned char>((count + 7) // 8 if bits else 2 * count)
    return 2 + put(bank.read(table, address, count), reply[1], reply + 2)


cdef int write_coil(object bank, const unsigned char* request, int size) except -1:
    cdef int value
    need_length(size == 5)
    value = word(request + 3)
    if value != 0 and value != 0xFF00:
        raise ModbusFault(ILLEGAL_VALUE, f"a coil is 0x0000 or 0xFF00, not 0x{value:04X}")
    bank.write(COILS, word(request + 1), (int(value != 0),))
    return 5


cdef int write_register(object bank, const unsigned char* request, int size) except -1:
    need_length(size == 5)
    bank.write(HOLDING, word(request + 1), (word(request + 3),))
    return 5


cdef int write_coils(object bank, const unsigned char* request, int size) except -1:
    cdef int address, count
    need_length(size >= 6)
    address, count = word(request + 1), word(request + 3)
    need_quantity(count, MOST_BITS_WRITTEN)
    need_size(request[5], (count + 7) // 8, size - 6)
    need_range(address, count)
    bank.write(COILS, address, tuple([request[6 + index // 8] >> index % 8 & 1 for index in range(count)]))
    return 5


cdef int write_registers(object bank, const unsigned char* request, int size) except -1:
    cdef int address, count
    need_length(size >= 6)
    address, count = word(request + 1), word(request + 3)
    need_quantity(count, MOST_WRITTEN)
    need_size(request[5], 2 * count, size - 6)
    need_range(address, count)
    bank.write(HOLDING, address, words(request + 6, count))
    return 5


cdef int mask_write(object bank, const unsigned char* request, int size) except -1:
    cdef int address, present, keep
    cdef unsigned char held[2]
    need_length(size == 7)
    address, keep = word(request + 1), word(request + 3)
    put(bank.read(HOLDING, address, 1), 2, held)
    present = word(held)
    bank.write(HOLDING, address, ((present & keep) | (word(request + 5) & (0xFFFF ^ keep)),))
    return 7


cdef int read_write(object bank, const unsigned char* request, int size, unsigned char* reply) except -1:
    cdef int read_at, read_count, write_at, write_count
    need_length(size >= 10)
    read_at, read_count = word(request + 1), word(request + 3)
    write_at, write_count = word(request + 5), word(request + 7)
    need_quantity(read_count, MOST_READ)
    need_quantity(write_count, MOST_WRITTEN_23)
    need_size(request[9], 2 * write_count, size - 10)
    need_range(read_at, read_count)
    need_range(write_at, write_count)
    bank.read(HOLDING, read_at, read_count)  # refused here, it has not written yet
    bank.write(HOLDING, write_at, words(request + 10, write_count))
    reply[0] = request[0]
    reply[1] = <unsigned char>(2 * read_count)
    return 2 + put(bank.read(HOLDING, read_at, read_count), reply[1], reply + 2)


cdef int identify(object bank, const unsigned char* request, int size, unsigned char* reply) except -1:
    """Read device identification (section 6.21). The level is what the bank has objects for.

    Single objects are for devices that have the three mandatory ones; a device without them has a list of its own only.
    """
    cdef int code, asked, last, at, count
    cdef bytes content
    need_length(size >= 2)
    if request[1] != IDENTIFICATION:
        raise ModbusFault(ILLEGAL_FUNCTION, f"MEI type {request[1]}")
    need_length(size == 4)
    code, asked = request[2], request[3]
    identity = bank.identity
    single = 0 in identity and 1 in identity and 2 in identity
    last = max(identity, default=0)
    if not 1 <= code <= (4 if single else 3):
        raise ModbusFault(ILLEGAL_VALUE, f"read device ID code {code}")
    memcpy(reply, request, 3)
    reply[3] = <unsigned char>((3 if last >= 0x80 else 2 if last >= 3 else 1) | (0x80 if single else 0))
    reply[4] = reply[5] = 0
    if code == 4:
        if asked not in identity:
            raise ModbusFault(ILLEGAL_ADDRESS, f"object 0x{asked:02X}")
        shown = [asked]
    else:
        last = 2 if code == 1 else 0x7F if code == 2 else 0xFF
        shown = [number for number in sorted(identity) if number <= last]
        if asked in shown:  # else from the beginning
            shown = shown[shown.index(asked):]
    at, count = IDENTITY_HEADER, 0
    for number in shown:
        content = identity[number]
        if at + 2 + PyBytes_GET_SIZE(content) > MOST_PDU:
            if count == 0:
                raise ValueError(f"object 0x{number:02X} is longer than a reply")
            reply[4] = 0xFF  # more follows
            reply[5] = number
            break
        reply[at] = number
        reply[at + 1] = <unsigned char>PyBytes_GET_SIZE(content)
        memcpy(reply + at + 2, PyBytes_AS_STRING(content), PyBytes_GET_SIZE(content))
        at += 2 + <int>PyBytes_GET_SIZE(content)
        count += 1
    reply[6] = <unsigned char>count
    return at


cdef int do(object bank, const unsigned char* request, int size, unsigned char* reply, object allowed) except -1:
    cdef int function = request[0]
    cdef int echoed
    if function not in bank.functions:
        raise ModbusFault(ILLEGAL_FUNCTION, f"function {function}")
    if allowed is not None and function not in allowed:
        raise ModbusFault(ILLEGAL_FUNCTION, f"function {function} is not for this client")
    if function == 3:
        return read(bank, HOLDING, False, request, size, reply)
    elif function == 4:
        return read(bank, INPUT, False, request, size, reply)
    elif function == 1:
        return read(bank, COILS, True, request, size, reply)
    elif function == 2:
        return read(bank, DISCRETE_INPUTS, True, request, size, reply)
    elif function == 23:
        return read_write(bank, request, size, reply)
    elif function == 43:
        return identify(bank, request, size, reply)
    elif function == 6:
        echoed = write_register(bank, request, size)
    elif function == 16:
        echoed = write_registers(bank, request, size)
    elif function == 5:
        echoed = write_coil(bank, request, size)
    elif function == 15:
        echoed = write_coils(bank, request, size)
    elif function == 22:
        echoed = mask_write(bank, request, size)
    else:
        raise ModbusFault(ILLEGAL_FUNCTION, f"function {function}")
    memcpy(reply, request, echoed)
    return echoed


cdef int serve(
    object bank, const unsigned char* request, int size, unsigned char* reply, object allowed, object refused
) except -1:
    try:
        return do(bank, request, size, reply, allowed)
    except ModbusFault as refusal:
        fault = refusal
    except Exception as error:
        LOG.exception("a device failed at the request %s", (<bytes>request[:size]).hex())
        fault = ModbusFault(ExceptionCode.DEVICE_FAILURE, f"{type(error).__name__}: {error}")
    if refused is not None:
        refused(<bytes>request[:size], fault)
    return refuse(request, fault, reply)


def answer(bank, bytes request, refused=None, allowed=None):
    cdef unsigned char reply[MOST_PDU]
    cdef int size = need_pdu(request)
    size = serve(bank, <const unsigned char*>PyBytes_AS_STRING(request), size, reply, allowed, refused)
    return <bytes>reply[:size]


cdef int need_pdu(bytes request) except -1:
    if PyBytes_GET_SIZE(request) == 0:
        raise ValueError("a request has a function code")
    return <int>PyBytes_GET_SIZE(request)


cdef class Units:
    def __init__(self, banks, *, bint serial=False, bint silent=False, refused=None):
        self._banks = dict(banks)
        self._serial = serial
        self._silent = silent or serial
        self.refused = refused
        self.requests = 0

    cdef int reply(self, int unit, const unsigned char* request, int size, unsigned char* reply, object allowed) except -1:
        """Writes a reply PDU; returns its length, 0 for silence."""
        if self._serial and unit == 0:
            return self._broadcast(request, size, reply, allowed)
        bank = self._banks.get(unit)
        if bank is None and self._silent:
            return 0
        self.requests += 1
        if bank is not None:
            return serve(bank, request, size, reply, allowed, self.refused)
        fault = ModbusFault(ExceptionCode.GATEWAY_TARGET_FAILED, f"unit {unit}")
        if self.refused is not None:
            self.refused(<bytes>request[:size], fault)
        return refuse(request, fault, reply)

    cdef int _broadcast(self, const unsigned char* request, int size, unsigned char* reply, object allowed) except -1:
        if request[0] in BROADCAST:
            self.requests += 1
            for bank in self._banks.values():
                serve(bank, request, size, reply, allowed, self.refused)
        return 0

    def addressed(self, int unit):
        return unit in self._banks or not self._silent or (self._serial and unit == 0)

    def answer(self, int unit, bytes request, allowed=None):
        cdef unsigned char reply[MOST_PDU]
        cdef int size = need_pdu(request)
        size = self.reply(unit, <const unsigned char*>PyBytes_AS_STRING(request), size, reply, allowed)
        return <bytes>reply[:size] if size else None
