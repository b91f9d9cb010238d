/* Two threads on the primitives of hil/kernel/shared.h. Says what it saw, and fails where that cannot be.
 *
 * image: one writes an image and rests as long or not at all, every word of it the same number; the other's pictures are whole, and never older.
 * ring: one puts rows into a ring that is too small and drops the newest, counting; the other gets all the rest, in order.
 *
 * Built with -include tests/wrong_words.h and one of its names, one of the primitives is wrong (tests/test_thread_sanitizer.py). */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "hil/kernel/shared.h"

enum { WORDS = 64, PICTURES = 2000, TRIES = 64, SLOTS = 7, ROWS = 100000 };

static int64_t sequence, stop_wanted;
static int64_t image[WORDS];
static int64_t offered, dropped, head, tail, done;
static struct { int64_t number, twice; } ring[SLOTS];

static void *write_images(void *unused)
{
    int64_t words[WORDS];
    for (int64_t number = 1; !hil_load_acquire(&stop_wanted); number++) {
        for (int i = 0; i < WORDS; i++)
            words[i] = number;
        hil_write_begins(&sequence);
        hil_copy_words(image, words, WORDS);
        hil_write_ends(&sequence);
        for (int64_t i = 0; i < number % 8 * WORDS; i++)
            if (hil_load_acquire(&stop_wanted))
                break;
    }
    return unused;
}

static int read_images(void)
{
    int64_t seen[WORDS], before = 0, moved = 0, again = 0;
    while (moved < PICTURES) {
        const int64_t begun = hil_load_acquire(&sequence);
        hil_copy_words(seen, image, WORDS);
        if (!hil_read_holds(&sequence, begun)) {
            if (++again % TRIES == 0)
                sched_yield();  /* the writer may wait for this very processor */
            continue;
        }
        for (int i = 0; i < WORDS; i++)
            if (seen[i] != seen[0] || seen[0] != begun / 2) {
                printf("picture %lld: words %lld and %lld\n", (long long)begun / 2, (long long)seen[0], (long long)seen[i]);
                return 1;
            }
        if (seen[0] < before) {
            printf("picture %lld after %lld\n", (long long)seen[0], (long long)before);
            return 1;
        }
        if (seen[0] == before)
            sched_yield();
        moved += seen[0] != before;
        before = seen[0];
    }
    printf("image: %lld pictures, %lld copied again\n", (long long)moved, (long long)again);
    return 0;
}

static void *offer_rows(void *unused)
{
    for (int64_t number = 1; number <= ROWS; number++) {
        offered++;
        if (head - hil_load_acquire(&tail) >= SLOTS) {
            dropped++;
            if (number % 64 == 0)
                sched_yield();
            continue;
        }
        ring[head % SLOTS].number = number;
        ring[head % SLOTS].twice = 2 * number;
        hil_store_release(&head, head + 1);
    }
    hil_store_release(&done, 1);
    return unused;
}

static int take_rows(void)
{
    int64_t before = 0, taken = 0;
    for (;;) {
        const int64_t last = hil_load_acquire(&done);
        const int64_t until = hil_load_acquire(&head);
        for (; tail < until; taken++) {
            const int64_t number = ring[tail % SLOTS].number;
            if (number <= before || ring[tail % SLOTS].twice != 2 * number) {
                printf("row %lld after %lld\n", (long long)number, (long long)before);
                return 1;
            }
            before = number;
            hil_store_release(&tail, tail + 1);
        }
        if (last)
            break;
        sched_yield();
    }
    printf("ring: %lld offered, %lld taken, %lld dropped\n", (long long)offered, (long long)taken, (long long)dropped);
    return taken + dropped != offered || offered != ROWS;
}

int main(int count, char **words)
{
    const int rows = count == 2 && !strcmp(words[1], "ring");
    pthread_t other;
    if (!rows && (count != 2 || strcmp(words[1], "image"))) {
        fprintf(stderr, "%s: image or ring\n", words[0]);
        return 2;
    }
    if (pthread_create(&other, NULL, rows ? offer_rows : write_images, NULL))
        return 2;
    const int wrong = rows ? take_rows() : read_images();
    hil_store_release(&stop_wanted, 1);
    pthread_join(other, NULL);
    return wrong;
}
