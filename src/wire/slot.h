#ifndef WIRE_SLOT_H
#define WIRE_SLOT_H

#include "base/bytes.h"

#include <stdint.h>

#define SLOT_COUNT 16384

/* CRC16, XMODEM: polynomial 0x1021, initially 0, not reflected (Redis' crc16.c). */
uint16_t slot_crc16(struct bytes b);
/*
 * Redis Cluster's hash slot of a key: CRC16 (XMODEM) modulo 16384 of the key,
 * or of its hash tag, the bytes between the first '{' and the next '}' when
 * there are any (redis.io/docs/reference/cluster-spec, "Hash tags").
 */
unsigned slot_of(struct bytes key);
/* The bytes that decide the slot: the non-empty hash tag, else the whole key. */
struct bytes slot_tag(struct bytes key);
/* A short tag without braces whose slot is `slot`: letters and digits, at most 4. Static. */
const char *slot_name(unsigned slot);

#endif
