/* A server for many clients on libmodbus, as its own examples have it: one context, epoll, one request of a socket at a time.

   libmodbus_server fixed: the device of validation/modbus_device.py.
   libmodbus_server live: 300 holding registers from 40,000, all of which change every millisecond.
   Prints its port; serves until its standard input ends. */

#include <modbus/modbus.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { EVENTS = 64, BACKLOG = 256, REFUSES_7 = 500, BROKEN = 600 };

static modbus_mapping_t *fixed_tables(void)
{
    modbus_mapping_t *tables = modbus_mapping_new(2048, 2048, 1000, 1000);
    for (int n = 0; n < 2048; n++) {
        tables->tab_bits[n] = n % 3 == 0;
        tables->tab_input_bits[n] = n % 5 == 0;
    }
    for (int n = 0; n < 1000; n++) {
        tables->tab_registers[n] = n;
        tables->tab_input_registers[n] = 0x8000 + n;
    }
    return tables;
}

static int word(const uint8_t *at) { return at[0] << 8 | at[1]; }

/* What the device does not take, of the function codes with which the cases try: an exception code, or 0. */
static int refused(const uint8_t *pdu)
{
    if (pdu[0] == 6)
        return word(pdu + 1) == BROKEN ? 4 : word(pdu + 1) == REFUSES_7 && word(pdu + 3) == 7 ? 3 : 0;
    if (pdu[0] == 16)
        for (int n = 0, at = word(pdu + 1); n < word(pdu + 3); n++)
            if (at + n == REFUSES_7 && word(pdu + 6 + 2 * n) == 7)
                return 3;
    return 0;
}

static void serve(modbus_t *context, modbus_mapping_t *tables, int fd)
{
    uint8_t request[MODBUS_TCP_MAX_ADU_LENGTH];
    modbus_set_socket(context, fd);
    int length = modbus_receive(context, request);
    int exception = length > 0 ? refused(request + modbus_get_header_length(context)) : 0;
    if (exception)
        modbus_reply_exception(context, request, exception);
    else if (length > 0)
        modbus_reply(context, request, length, tables);
    else if (length < 0)
        close(fd);
}

int main(int count, char **words)
{
    int live = count > 1 && !strcmp(words[1], "live");
    modbus_t *context = modbus_new_tcp("127.0.0.1", 0);
    modbus_mapping_t *tables = live ? modbus_mapping_new_start_address(0, 0, 0, 0, 40000, 300, 0, 0) : fixed_tables();
    int listener = modbus_tcp_listen(context, BACKLOG), clock = timerfd_create(CLOCK_MONOTONIC, 0), poll = epoll_create1(0);
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    if (!context || !tables || listener < 0 || getsockname(listener, (struct sockaddr *)&address, &size))
        return 1;
    int watched[] = {listener, clock, STDIN_FILENO};
    for (int n = 0; n < 3; n++) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = watched[n]};
        epoll_ctl(poll, EPOLL_CTL_ADD, watched[n], &event);
    }
    struct itimerspec every = {{0, 1000000}, {0, 1000000}};
    if (live)
        timerfd_settime(clock, 0, &every, NULL);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(poll, events, EVENTS, -1);
        for (int n = 0; n < ready; n++) {
            int fd = events[n].data.fd;
            uint64_t ticks;
            if (fd == STDIN_FILENO)
                return 0;
            if (fd == clock) {
                if (read(clock, &ticks, sizeof ticks) == sizeof ticks)
                    for (int at = 0; at < tables->nb_registers; at++)
                        tables->tab_registers[at] += 1 + at % 7;
            } else if (fd == listener) {
                int client = modbus_tcp_accept(context, &listener);
                if (client >= 0) {
                    struct epoll_event event = {.events = EPOLLIN, .data.fd = client};
                    epoll_ctl(poll, EPOLL_CTL_ADD, client, &event);
                }
            } else {
                serve(context, tables, fd);
            }
        }
    }
}
