#ifndef BASE_NUM_H
#define BASE_NUM_H

#include "base/bytes.h"

#include <stdint.h>

struct buf;

/*
 * Each parser takes the whole text (no blanks, no rest), returns 0 and fills
 * its result, or returns -1 and leaves it untouched.
 */
int num_parse_u64(struct bytes text, uint64_t min, uint64_t max, uint64_t *ret_value);
int num_parse_i64(struct bytes text, int64_t min, int64_t max, int64_t *ret_value);
/* A decimal number such as 0.8, 12, 1e-3; finite only. */
int num_parse_real(struct bytes text, double min, double max, double *ret_value);
/*
 * "250ms" "5s" "1.5m" "2h" "7d", compounds with falling units such as "1h30m",
 * a bare number is seconds; milliseconds out, rounded, but never to 0 from
 * more. At most 1000 years, so that it can be added to any clock.
 */
#define NUM_DURATION_MAX_MS (1000 * UINT64_C(365) * 86400 * 1000)
int num_parse_duration_ms(struct bytes text, uint64_t *ret_ms);
/* "64KiB" "1.5MiB" "1GiB" (1024), "64kB" "1MB" "1GB" (1000), "512", "512B". */
int num_parse_size(struct bytes text, uint64_t *ret_bytes);
/* "80%" or "0.8" → 0.8, within 0..1. */
int num_parse_ratio(struct bytes text, double *ret_ratio);

/* The value of a hexadecimal digit, or -1. */
int num_hex_digit(char c);

/* For people: 850ms, 4.2s, 5m, 1h30m, 2d4h; two units at most, the rest cut off. */
void num_format_duration_ms(struct buf *buf, int64_t ms);
/* 512 B, 1.4 KiB, 12 MiB; three significant digits. */
void num_format_size(struct buf *buf, uint64_t bytes);
/* 12,345,678 */
void num_format_count(struct buf *buf, int64_t count);

#endif
