/* Bytes as hexadecimal digits. */
#ifndef REINSTATE_HEX_H
#define REINSTATE_HEX_H

#include "crypt.h"

/* 2n digits and a NUL. */
void hex_encode(const unsigned char *bytes, size_t n, char *ret);
/* RFC 4122; the version's bits are set in `bytes`. */
void uuid_format(unsigned char bytes[16], unsigned version, char ret[UUID_TEXT]);
/* The 16 bytes of a UUID's text. */
void uuid_bytes(const char *text, unsigned char ret[16]);

#endif
