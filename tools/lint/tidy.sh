#!/bin/bash
# tools/lint/tidy.sh [FILE…] : clang-tidy with the checks of .clang-tidy.
. "$(dirname "$0")/common.sh"
need clang-tidy

read -ra flags < <(pkg-config --cflags hiredis libcurl libcjson smartcols zlib libzstd libmicrohttpd)
flags+=(-std=gnu11 -D_GNU_SOURCE '-DCCACHE_VERSION="0"' -Isrc -Icmd "-I${BUILD:-build}" -Itests/upstream -Itests/unit)
if (($#)); then
	files=("$@")
else
	mapfile -t files < <(all_c_files | grep '\.c$')
fi

# Each file alone, two at once; clang-tidy's counting of suppressed warnings goes.
# shellcheck disable=SC2317 # xargs calls it
tidy_one() { clang-tidy --quiet "$1" -- "${@:2}" 2> >(grep -E 'error:|unknown' >&2); }
export -f tidy_one
printf '%s\0' "${files[@]}" | xargs -0 -P2 -I '{}' bash -c 'tidy_one "$@"' tidy '{}' "${flags[@]}" || ((++failures))
finish "fix it, or where clang-tidy is wrong: // NOLINT(NAME) with the reason"
