#!/bin/bash
# tools/lint/all.sh : every checker; says which found something.
. "$(dirname "$0")/common.sh"

for checker in format layers length banned shell man cppcheck tidy; do
	began=$EPOCHREALTIME
	if output=$("tools/lint/$checker.sh" 2>&1); then
		verdict=ok
	else
		verdict=FAILED
		((++failures))
	fi
	printf '%-9s %-7s %d ms\n' "$checker" "$verdict" "$(((${EPOCHREALTIME/./} - ${began/./}) / 1000))"
	[[ $output ]] && printf '%s\n' "$output" | sed 's/^/    /'
done
finish "$failures checkers found something; run one alone as tools/lint/NAME.sh"
