#!/bin/bash
# tools/lint/layers.sh : includes go one way (cmd → core → {wire, source} →
# base; out and opt for cmd alone), and each library stays in its room.
. "$(dirname "$0")/common.sh"

declare -A may=(
	[base]='base'
	[opt]='opt base'
	[out]='out base'
	[wire]='wire base'
	[source]='source base'
	[core]='core wire source base'
)

check_room() {
	local room=$1 file line included
	while IFS=: read -r file line included; do
		[[ " ${may[$room]} " == *" $included "* ]] ||
			complain "$file:$line: src/$room must not include $included/ (it may: ${may[$room]})"
	done < <(grep -rnoP '^\s*#\s*include\s+"\K(base|opt|out|wire|source|core|cmd)(?=/)' "src/$room" --include='*.[ch]')
}

# only WHAT REGEX PLACE_REGEX : nothing outside the place matches.
only() {
	local hit
	while read -r hit; do
		[[ ${hit%%:*} =~ $3 ]] || complain "$hit  ← $1 belongs under $3"
	done < <(grep -rnE "$2" src cmd --include='*.[ch]' 2>/dev/null)
}

for room in "${!may[@]}"; do
	[[ -d src/$room ]] && check_room "$room"
done
only hiredis '#\s*include\s*<hiredis' '^src/wire/'
only 'the curl multi interface' 'curl_multi_' '^src/(source/|wire/transport)'
only 'a terminal escape' '\\033|\\x1[bB]|\\e\[' '^src/out/'
only 'a verb' '#\s*include\s*"command\.h"' '^cmd/'
finish "move the code to the room that may do it, or pass what it needs as an argument (STYLE.md, Shape)"
