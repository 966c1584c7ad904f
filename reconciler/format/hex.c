/* Knows how bytes are written in hexadecimal digits, plainly and as a UUID. Must not know where they come from. */
#include "hex.h"

#include <stdio.h>
#include <string.h>

void hex_encode(const unsigned char *bytes, size_t n, char *ret)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        ret[2 * i] = digits[bytes[i] >> 4];
        ret[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret[2 * n] = '\0';
}

void uuid_format(unsigned char bytes[16], unsigned version, char ret[UUID_TEXT])
{
    char hex[33];

    bytes[6] = (unsigned char)((bytes[6] & 0x0F) | version << 4);
    bytes[8] = (unsigned char)((bytes[8] & 0x3F) | 0x80);
    hex_encode(bytes, 16, hex);
    snprintf(ret, UUID_TEXT, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

/* Digits that are missing count as zero. */
void uuid_bytes(const char *text, unsigned char ret[16])
{
    size_t n = 0;

    memset(ret, 0, 16);
    for (; *text && n < 32; text++) {
        char c = *text;
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;

        if (digit < 0)
            continue;
        ret[n / 2] = (unsigned char)(ret[n / 2] | digit << (n % 2 ? 0 : 4));
        n++;
    }
}
