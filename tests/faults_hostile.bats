# A server that answers with what no server answers, to every verb: one line that names it, exit 4, no more memory than
# usual, and nothing of the answer on the terminal. get goes to its source, follow to the same server again.
load helpers
load verbs
load link/link
load link/table

setup() {
	table_system
	declare -gA EXITS=([get]=0 [warm]=4 [inspect]=4 [inspect-key]=4 [invalidate]=4 [unlink]=4 [follow]=0 [stats]=4 [bench]=4 [repl]=4
		[discover]=4)
}

# answered_with TEXT…: each of them in turn, in place of the answer to the verb's command.
answered_with() {
	local text
	for text; do
		met_by "say:$text" || { echo "of an answer $text"; return 1; }
	done
}

@test "garbage, and bytes for the terminal" {
	SAYS="not a Redis server: it answered|got .* as reply type byte" answered_with '\x1b[2J\xff\x00nonsense\r\n'
	[[ $output$stderr != *$'\e'* ]]
}

@test "lengths and numbers that are none" {
	SAYS='not understood, connection closed: (Multi-bulk length|Bulk string length|Bad integer)' \
		answered_with '*-5\r\n' ':99999999999999999999\r\n'
}

@test "RESP3, which nobody asked for" {
	SAYS='not a Redis server|as reply type byte|RESP3|another type' answered_with '>2\r\n+invalidate\r\n*0\r\n'
}

@test "an array without end, a string of 2 GB, nesting without end" {
	SAYS='longer than the limit|nested too deeply' \
		answered_with '*2147483647\r\n$1\r\nx\r\n' '$2147483647\r\nx' "$(printf '*1\\r\\n%.0s' {1..1000})"
}

# What is no value is refused by its header; a server may well hold a value of 512 MB.
@test "half a gigabyte where a number, a page or a few lines were asked for: refused, not read" {
	local usual peak
	printf '#!/bin/sh\nexec /usr/bin/time -q -f %%M -o %q %q "$@"\n' "$DIR/peak" "$CCACHE" >"$DIR/measured"
	chmod +x "$DIR/measured"
	unset 'EXITS[get]' 'EXITS[warm]' 'EXITS[inspect-key]' 'EXITS[bench]'
	CCACHE=$DIR/measured
	refill
	cc_run inspect
	usual=$(<"$DIR/peak") # a sanitizer takes its own
	for verb in "${!EXITS[@]}"; do
		declare -A EXITS=(["$verb"]="${EXITS[$verb]}")
		SAYS='longer than the limit' met_by say-bulk:536870912
		peak=$(<"$DIR/peak")
		((peak < usual + 49152)) || fail "$verb: $peak KiB, for a usual $usual"
	done
}

@test "an answer of a kind that was not asked for: refused" {
	EXITS=([get]=0 [warm]=3 [inspect]=4 [inspect-key]=4 [invalidate]=4 [stats]=4 [repl]=4 [discover]=4)
	SAYS='an answer of another type than expected' answered_with '*2\r\n:1\r\n*1\r\n$1\r\nx\r\n'
}
