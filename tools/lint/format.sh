#!/bin/bash
# tools/lint/format.sh [--fix] : every C file reads as .clang-format says.
. "$(dirname "$0")/common.sh"
need clang-format

if [[ ${1:-} == --fix ]]; then
	all_c_files | xargs clang-format -i
	exit
fi
for file in $(all_c_files | xargs clang-format --dry-run -Werror 2>&1 | sed -n 's/^\([^:]*\):[0-9]*:.*error.*/\1/p' | sort -u); do
	complain "$file is not formatted"
done
finish "make fmt"
