#ifndef CORE_UNPACKED_H
#define CORE_UNPACKED_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "core/codec.h"

#include <stdbool.h>

/* A string value as people want to see it, whoever wrote it. */
struct unpacked {
	enum codec_kind codec; /* how the stored bytes are packed */
	struct bytes value;    /* expanded; the stored bytes when plain or not expandable */
	bool cut;              /* value is only a beginning */
	const char *format;    /* the serialization of value (serial_name), or NULL */
	struct err problem;    /* why it could not be expanded */
	struct buf text;       /* holds value when it was expanded */
};

/* Stored bytes of which only the beginning was read (cut) are expanded as far as they go.
 * stored must outlive the result. */
void unpacked_make(struct bytes stored, bool cut, struct unpacked *ret_unpacked);
void unpacked_release(struct unpacked *unpacked);

#endif
