#include "core/unpacked.h"

#include "core/serial.h"

#define EXPANDED_MAX ((size_t)64 << 20) /* more is for --raw and a file */

void unpacked_make(struct bytes stored, bool cut, struct unpacked *ret_unpacked)
{
	struct unpacked unpacked = {.codec = codec_detect(stored), .value = stored, .cut = cut};

	if (unpacked.codec == CODEC_NONE) {
		unpacked.format = serial_name(stored);
	} else if (codec_expand(unpacked.codec, stored, EXPANDED_MAX, &unpacked.text,
				&unpacked.problem) == 0 ||
		   (cut && unpacked.text.len)) {
		unpacked.problem = (struct err){0};
		unpacked.value = buf_bytes(&unpacked.text);
		unpacked.format = serial_name(unpacked.value);
	}
	*ret_unpacked = unpacked;
}

void unpacked_release(struct unpacked *unpacked)
{
	buf_release(&unpacked->text);
	unpacked->value = (struct bytes){NULL, 0};
}
