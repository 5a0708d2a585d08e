#!/bin/bash
# tools/lint/length.sh : no file over 500 lines, no function over 100; prints
# median, p90, p99 and longest of both.
. "$(dirname "$0")/common.sh"
need ctags
file_limit=500
function_limit=100

# Lines "COUNT NAME", ascending, to a summary and complaints about those over the limit.
judge() {
	awk -v what="$1" -v limit="$2" '
		{ count[NR] = $1; if ($1 > limit) { over = 1; printf "%s: %d lines, %d at most\n", $2, $1, limit } }
		function at(share) { i = int(NR * share + 0.999); return count[i < 1 ? 1 : i] }
		END {
			if (NR) printf "%s: %d, median %d, p90 %d, p99 %d, longest %d lines\n", what, NR, at(.5), at(.9), at(.99), count[NR]
			exit over
		}'
}

files=$(all_c_files)
# shellcheck disable=SC2086 # names without blanks
wc -l $files | awk '$2 != "total" { print $1, $2 }' | sort -n | judge files $file_limit || ((++failures))
# shellcheck disable=SC2086
ctags --languages=C --langmap=C:.c.h --kinds-C=f --fields=+ne -f - $files |
	awk -F '\t' '{
		for (i = 4; i <= NF; i++) { if ($i ~ /^line:/) from = substr($i, 6); if ($i ~ /^end:/) to = substr($i, 5) }
		print to - from + 1, $2 ":" from ":" $1
	}' | sort -n | judge functions $function_limit || ((++failures))
finish "split it along what it does (functions: median 16, p90 45, p99 80; files: median 180, p90 350)"
