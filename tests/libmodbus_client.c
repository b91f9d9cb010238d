/* A client on libmodbus: a request a line on standard input, its answer a line on standard output.
 *
 * libmodbus_client tcp HOST PORT UNIT
 * libmodbus_client rtu PATH BAUD UNIT (8N1)
 *
 * A line is the function code and its numbers: 1 to 4 ADDRESS COUNT; 5, 6 ADDRESS VALUE; 15, 16 ADDRESS VALUE ...; 22 ADDRESS AND OR;
 * 23 ADDRESS COUNT ADDRESS VALUE ... (what is read, then what is written). An answer is the values that were read, if any, after "ok";
 * or "failed" and libmodbus's word for why. */
#include <errno.h>
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 2000, LINE = 20000, PATIENCE_S = 10 };

static uint8_t bits[MOST];
static uint16_t words[MOST];

/* Carry out a request of n numbers; how many values were read, of bits or words, or -1. */
static int carry_out(modbus_t *context, const int *said, int n)
{
    uint8_t set[MOST];
    uint16_t held[MOST];
    int first = said[0] == 23 ? 4 : 2;
    for (int k = first; k < n; k++)
        set[k - first] = held[k - first] = said[k];
    switch (said[0]) {
    case 1: return modbus_read_bits(context, said[1], said[2], bits);
    case 2: return modbus_read_input_bits(context, said[1], said[2], bits);
    case 3: return modbus_read_registers(context, said[1], said[2], words);
    case 4: return modbus_read_input_registers(context, said[1], said[2], words);
    case 5: return modbus_write_bit(context, said[1], said[2]) == 1 ? 0 : -1;
    case 6: return modbus_write_register(context, said[1], said[2]) == 1 ? 0 : -1;
    case 15: return modbus_write_bits(context, said[1], n - first, set) == n - first ? 0 : -1;
    case 16: return modbus_write_registers(context, said[1], n - first, held) == n - first ? 0 : -1;
    case 22: return modbus_mask_write_register(context, said[1], said[2], said[3]) == 1 ? 0 : -1;
    case 23: return modbus_write_and_read_registers(context, said[3], n - first, held, said[1], said[2], words);
    default: errno = EMBXILFUN; return -1;
    }
}

int main(int count, char **given)
{
    int serial = count == 5 && strcmp(given[1], "rtu") == 0;
    if (count != 5 || (!serial && strcmp(given[1], "tcp") != 0))
        return 2;
    modbus_t *context = serial ? modbus_new_rtu(given[2], atoi(given[3]), 'N', 8, 1) : modbus_new_tcp(given[2], atoi(given[3]));
    modbus_set_slave(context, atoi(given[4]));
    modbus_set_response_timeout(context, PATIENCE_S, 0);
    if (modbus_connect(context) != 0) {
        fprintf(stderr, "%s: %s\n", given[2], modbus_strerror(errno));
        return 1;
    }
    static char line[LINE];
    while (fgets(line, LINE, stdin)) {
        int said[MOST] = {0}, n = 0;
        for (char *word = strtok(line, " \n"); word && n < MOST; word = strtok(NULL, " \n"))
            said[n++] = atoi(word);
        int read = carry_out(context, said, n);
        printf("%s", read < 0 ? "failed " : "ok");
        if (read < 0)
            printf("%s", modbus_strerror(errno));
        for (int k = 0; k < read; k++)
            printf(" %d", said[0] <= 2 ? bits[k] : words[k]);
        printf("\n");
        fflush(stdout);
    }
    modbus_close(context);
    modbus_free(context);
    return 0;
}
