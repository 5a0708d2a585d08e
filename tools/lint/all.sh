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
tools=$(clang-format --version 2>/dev/null | sed -n 's/.*version \([0-9]*\).*/\1/p')
if ((failures)) && [[ $tools != 14 ]]; then
	echo "the sources are held to Debian 12's tools (clang-format and clang-tidy 14, cppcheck 2.10); here is clang-format ${tools:-?}"
fi
finish "$failures checkers found something; run one alone as tools/lint/NAME.sh"
