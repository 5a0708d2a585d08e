#ifndef CMD_INSPECT_KEY_H
#define CMD_INSPECT_KEY_H

#include "command.h"

#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

struct inspect_key_options {
	bool raw;
	uint64_t max_value; /* bytes of a string, and of each element */
	uint64_t limit;     /* elements, 0: all */
};

/* Everything about one key: ccache.inspect-key. */
enum exit_code inspect_key_run(struct app *app, const struct inspect_key_options *options,
			       struct bytes key);

#endif
