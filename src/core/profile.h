#ifndef CORE_PROFILE_H
#define CORE_PROFILE_H

#include "base/bytes.h"

/* The embedded profiles: the files of src/profiles through tools/embed.sh. */
struct profile {
	const char *name;
	struct bytes text;
};
extern const struct profile profile_list[];
extern const size_t profile_count;

#endif
