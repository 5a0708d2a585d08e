#!/bin/sh
# Writes C source that holds the named files: profile_list of core/profile.h.
#   tools/embed.sh FILE.json… >profiles.c
set -eu

echo '/* Made by tools/embed.sh. */'
echo '#include "core/profile.h"'
echo
echo 'const struct profile profile_list[] = {'
for file in "$@"; do
	name=$(basename "$file" .json)
	printf '{"%s", {\n' "$name"
	sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/?/\\?/g' -e 's/.*/"&\\n"/' "$file"
	printf ', %d}},\n' "$(wc -c <"$file")"
done
echo '};'
echo 'const size_t profile_count = sizeof profile_list / sizeof *profile_list;'
