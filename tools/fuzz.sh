#!/bin/sh
# tools/fuzz.sh BUILD SECONDS TARGET… : runs each fuzz target so long, from its seeds in tests/fuzz/corpus and what
# former runs found in BUILD/corpus. A line for each: executions, coverage (edges, features), size of the corpus. What
# crashes stays in BUILD/crashes; once mended it belongs into tests/fuzz/corpus.
set -eu
build=$1 seconds=$2
shift 2
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1}" UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}"
failed=0
mkdir -p "$build/crashes"
for target in "$@"; do
	mkdir -p "$build/corpus/$target"
	status=0
	"$build/fuzz/$target" -max_total_time="$seconds" -timeout=25 -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1 \
		-artifact_prefix="$build/crashes/$target-" "$build/corpus/$target" "tests/fuzz/corpus/$target" \
		>"$build/fuzz/$target.log" 2>&1 || status=$?
	awk -v target="$target" -v status="$status" '
		/cov: / { for (i = 1; i < NF; i++) { if ($i == "cov:") edges = $(i + 1); if ($i == "ft:") features = $(i + 1) } }
		/stat::number_of_executed_units:/ { runs = $2 }
		/stat::average_exec_per_sec:/ { rate = $2 }
		/stat::peak_rss_mb:/ { memory = $2 }
		END { printf "  %-9s %s  %d runs, %d/s, %d edges, %d features, %d MiB\n", target, status ? "CRASHED" : "ok     ", \
			runs, rate, edges, features, memory }' "$build/fuzz/$target.log"
	if [ "$status" -ne 0 ]; then
		failed=1
		grep -E 'ERROR|SUMMARY|Test unit written|runtime error' "$build/fuzz/$target.log" | sed 's/^/    /'
	fi
done
exit "$failed"
