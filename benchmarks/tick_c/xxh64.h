/* XXH64, seed 0, of a stream that comes in whole stripes of 32 bytes (xxHash fast digest algorithm, version 0.2.0). */
#ifndef XXH64_H
#define XXH64_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define XXH_PRIME1 UINT64_C(0x9E3779B185EBCA87)
#define XXH_PRIME2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define XXH_PRIME3 UINT64_C(0x165667B19E3779F9)
#define XXH_PRIME4 UINT64_C(0x85EBCA77C2B2AE63)

struct xxh64 {
    uint64_t a, b, c, d, bytes;
};

static inline uint64_t xxh64_rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static inline uint64_t xxh64_round(uint64_t lane, uint64_t word)
{
    return xxh64_rotate(lane + word * XXH_PRIME2, 31) * XXH_PRIME1;
}

static inline void xxh64_start(struct xxh64 *h)
{
    *h = (struct xxh64){XXH_PRIME1 + XXH_PRIME2, XXH_PRIME2, 0, -XXH_PRIME1, 0};
}

static inline uint64_t xxh64_read(const unsigned char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

static inline void xxh64_update(struct xxh64 *h, const void *data, size_t bytes)
{
    const unsigned char *at = data, *end = at + bytes;
    uint64_t a = h->a, b = h->b, c = h->c, d = h->d;

    for (; at < end; at += 32) {
        a = xxh64_round(a, xxh64_read(at));
        b = xxh64_round(b, xxh64_read(at + 8));
        c = xxh64_round(c, xxh64_read(at + 16));
        d = xxh64_round(d, xxh64_read(at + 24));
    }
    h->a = a, h->b = b, h->c = c, h->d = d;
    h->bytes += bytes;
}

/* Of a stream that is not empty. */
static inline uint64_t xxh64_digest(const struct xxh64 *h)
{
    uint64_t lanes[] = {h->a, h->b, h->c, h->d};
    uint64_t x = xxh64_rotate(h->a, 1) + xxh64_rotate(h->b, 7) + xxh64_rotate(h->c, 12) + xxh64_rotate(h->d, 18);

    for (int i = 0; i < 4; i++)
        x = (x ^ xxh64_round(0, lanes[i])) * XXH_PRIME1 + XXH_PRIME4;
    x += h->bytes;
    x = (x ^ x >> 33) * XXH_PRIME2;
    x = (x ^ x >> 29) * XXH_PRIME3;
    return x ^ x >> 32;
}

#endif
