"""Where arrays that Python made lie, for the compiled modules that run over them."""

from libc.stdint cimport int64_t

from hil.kernel.protection.functions cimport Functions
from hil.kernel.site cimport Site


cdef void* address(arrays, name, dtype, int64_t length) except? NULL
cdef int bind_functions(Functions* f, parameters, states) except -1
cdef int bind_sources(Site* site, parameters, states, int64_t bess_count, int64_t ups_count) except -1
cdef object bind_upss(Site* s, parameters, states, int64_t alone_count, int64_t group_count)
