/* Clients of Modbus TCP servers: function 3 for some registers, over and over, all in one thread.

   load SECONDS WARM_UP RATE ADDRESS COUNT CONNECTIONS PORT...
   RATE 0: closed loop, each connection asks again as soon as it has its answer. Otherwise open loop: each connection asks RATE
   times a second, in turn with the others, whether it is answered or not; where the answer before is still missing, that
   request counts as missed and is not sent. CONNECTIONS are to each port. What happens in the first WARM_UP seconds is not
   counted. Every answer is checked: its transaction, length, function and byte count.

   Prints one JSON object: requests answered, with those of the warm-up, seconds, quantiles of the time from request to answer in us, missed requests,
   answers that differ from the one before on their connection, and answers that are wrong or connections that were lost. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { HEADER = 9, MOST = 260, EVENTS = 256, BINS = 1 << 20 }; /* a bin is 0.1 us; the last one holds all that is longer */

struct client {
    int fd;
    int waiting; /* for an answer */
    uint16_t transaction;
    int64_t sent_ns;
    int have;
    uint8_t answer[MOST], before[MOST];
};

static uint32_t bins[BINS];
static int64_t all, answered, missed, changed, wrong;
static int address, count, size, waiting; /* bytes of an answer; clients */
static double longest_us;

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void ask(struct client *client)
{
    uint16_t t = ++client->transaction;
    uint8_t request[] = {t >> 8, t, 0, 0, 0, 6, 1, 3, address >> 8, address, count >> 8, count};
    client->waiting = 1;
    waiting++;
    client->sent_ns = now_ns();
    if (send(client->fd, request, sizeof request, MSG_NOSIGNAL) != (ssize_t)sizeof request)
        wrong++;
}

static void judge(struct client *client, int64_t from_ns, int64_t until_ns)
{
    const uint8_t *a = client->answer;
    int64_t now = now_ns();
    int sound = (a[0] << 8 | a[1]) == client->transaction && !a[2] && !a[3] && (a[4] << 8 | a[5]) == size - 6 && a[7] == 3 &&
                a[8] == 2 * count;
    client->waiting = client->have = 0;
    waiting--;
    all++;
    if (!sound)
        wrong++;
    if (client->sent_ns < from_ns || client->sent_ns >= until_ns)
        return;
    double us = (now - client->sent_ns) / 1e3;
    int64_t bin = (now - client->sent_ns) / 100;
    bins[bin < BINS ? bin : BINS - 1]++;
    longest_us = us > longest_us ? us : longest_us;
    answered++;
    changed += memcmp(a + HEADER, client->before, size - HEADER) != 0;
    memcpy(client->before, a + HEADER, size - HEADER);
}

static double quantile_us(double share)
{
    int64_t rest = answered * share;
    for (int bin = 0; bin < BINS - 1; bin++)
        if ((rest -= bins[bin]) < 0)
            return bin / 10.0;
    return longest_us;
}

static int connected(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to)) {
        perror("connect");
        exit(1);
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

int main(int words, char **word)
{
    if (words < 8)
        return 2;
    double seconds = atof(word[1]), warm_up = atof(word[2]), rate = atof(word[3]);
    int each = atoi(word[6]), clients = each * (words - 7), clock = timerfd_create(CLOCK_MONOTONIC, 0), poll = epoll_create1(0);
    address = atoi(word[4]), count = atoi(word[5]), size = HEADER + 2 * count;
    struct client *client = calloc(clients, sizeof *client);
    for (int n = 0; n < clients; n++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &client[n]};
        client[n].fd = connected(atoi(word[7 + n / each]));
        epoll_ctl(poll, EPOLL_CTL_ADD, client[n].fd, &event);
    }
    int64_t begin_ns = now_ns(), from_ns = begin_ns + warm_up * 1e9, until_ns = from_ns + seconds * 1e9;
    int64_t end_ns = until_ns + 1000000000, asked = 0; /* answers that are late still count */
    if (rate) {
        int64_t every_ns = 1e9 / (rate * clients);
        struct itimerspec times = {{every_ns / 1000000000, every_ns % 1000000000}, {0, every_ns % 1000000000 + 1}};
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
        timerfd_settime(clock, 0, &times, NULL);
        epoll_ctl(poll, EPOLL_CTL_ADD, clock, &event);
    } else {
        for (int n = 0; n < clients; n++)
            ask(&client[n]);
    }
    while (!wrong && now_ns() < end_ns && (now_ns() < until_ns || waiting)) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(poll, events, EVENTS, 100);
        for (int n = 0; n < ready; n++) {
            struct client *one = events[n].data.ptr;
            uint64_t due;
            if (!one) {
                if (read(clock, &due, sizeof due) != sizeof due || now_ns() >= until_ns)
                    continue;
                for (; due; due--, asked++) {
                    one = &client[asked % clients];
                    if (!one->waiting)
                        ask(one);
                    else if (now_ns() >= from_ns)
                        missed++;
                }
                continue;
            }
            ssize_t got = recv(one->fd, one->answer + one->have, size - one->have, 0);
            if (got <= 0) {
                wrong++;
                break;
            }
            one->have += got;
            if (one->have >= HEADER && one->answer[7] != 3)
                wrong++; /* an exception, which is shorter */
            if (one->have == size) {
                judge(one, from_ns, until_ns);
                if (!rate && now_ns() < until_ns)
                    ask(one);
            }
        }
    }
    for (int n = 0; n < clients; n++)
        missed += rate && client[n].waiting; /* not answered at all */
    printf("{\"answered\": %lld, \"all\": %lld, \"seconds\": %g, \"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f, \"missed\": %lld, "
           "\"changed\": %lld, \"wrong\": %lld}\n",
           (long long)answered, (long long)all, seconds, quantile_us(0.5), quantile_us(0.99), longest_us, (long long)missed,
           (long long)changed, (long long)wrong);
    return 0;
}
