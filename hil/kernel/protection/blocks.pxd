"""Block averages: the difference of the means of consecutive blocks that do not overlap, per second; renewed as a block ends.

While a scripted stimulus acts, or where it is not a number, the input is held.
"""

from libc.math cimport NAN
from libc.stdint cimport int64_t


cdef struct BlockParams:
    int64_t channel
    int64_t output
    int64_t blank
    int64_t length         # samples in a block
    double per_second      # 1 / (length · dt)


cdef struct BlockState:
    int64_t count          # samples in the block under way
    double origin          # value at which the channel began, from which sums are taken
    double held            # latest input that no stimulus voided and that is a number
    double total           # of the block under way
    double mean            # of the last whole block
    double change          # of the last two whole blocks, per second


cdef inline void block_step(const BlockParams* p, BlockState* s, double* row, int64_t tick,
                            const int64_t* blank_until) noexcept nogil:
    cdef double value = row[p.channel]
    cdef double mean
    if tick >= blank_until[p.blank] and value == value:
        s.held = value
    s.total += s.held - s.origin
    s.count += 1
    if s.count == p.length:
        mean = s.total / <double>p.length
        s.change = (mean - s.mean) * p.per_second
        s.mean = mean
        s.total = 0.0
        s.count = 0
    row[p.output] = NAN if value != value else s.change


cdef inline bint block_is_sound(const BlockParams* p, const BlockState* s, int64_t words, int64_t blanks) noexcept nogil:
    return (0 <= p.channel < words and 0 <= p.output < words and 0 <= p.blank < blanks and p.length >= 1
            and 0 <= s.count < p.length)
