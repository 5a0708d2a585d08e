# A server that answers with what no server answers, to every verb: one line that names it, exit 4, no more memory than
# usual, and nothing of the answer on the terminal. get goes to its source, follow to the same server again.
load helpers
load verbs
load link/link
load link/table
load link/clock

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

# measured: from now on $CCACHE is measured, and no_more RUN fails when the last run took more memory than one without
# anything large: a sanitizer takes its own.
measured() {
	printf '#!/bin/sh\nexec /usr/bin/time -q -f %%M -o %q %q "$@"\n' "$DIR/peak" "$CCACHE" >"$DIR/measured"
	chmod +x "$DIR/measured"
	CCACHE=$DIR/measured
	cc_run inspect
	USUAL=$(<"$DIR/peak")
}
no_more() {
	local peak
	peak=$(<"$DIR/peak")
	((peak < USUAL + 49152)) || fail "$1: $peak KiB, for a usual $USUAL"
}

@test "half a gigabyte in place of any answer: refused by its header, not read" {
	unset 'EXITS[bench]' # which takes values of any size, and keeps none
	refill
	measured
	for verb in "${!EXITS[@]}"; do
		declare -A EXITS=(["$verb"]="${EXITS[$verb]}")
		SAYS='longer than the limit of 64 MiB' met_by say-bulk:536870912
		no_more "$verb"
	done
}

@test "a value of 128 MiB: no verb takes more memory for it, and it is read in parts" {
	measured
	rcli SET thing:1 begin EX 300 >/dev/null
	rcli SETRANGE thing:1 134217727 x >/dev/null
	for words in 'inspect' 'inspect --top 3' 'inspect --audit' 'inspect thing --drift 5' 'config discover' 'inspect thing 1 -o json' \
		"invalidate thing 1 --yes --backup $DIR/undo" "invalidate --undo $DIR/undo --yes"; do
		# shellcheck disable=SC2086
		"$CCACHE" $words >"$DIR/out" 2>"$DIR/err" || (($? == 1 || $? == 3)) || fail "$words: $(<"$DIR/err")"
		no_more "$words"
	done
	assert_equal "$(rcli STRLEN thing:1)" 134217728
	"$CCACHE" inspect --key thing:1 --raw --max-value 512MiB >"$DIR/raw"
	no_more 'inspect --raw'
	assert_equal "$(stat -c %s "$DIR/raw") $(head -c 5 "$DIR/raw")$(tail -c 1 "$DIR/raw")" '134217728 beginx'
	cc_run get thing 1
	assert_success
	assert_equal "$output" '{"v":1}' # the source's
	assert_stderr_line 'its answer is longer than the limit of 64 MiB'
	no_more get
	cc_run inspect thing 1 --max-value 65MiB
	assert_failure 2
	assert_stderr_line "--max-value of more than 64MiB goes with one key's --raw"
	cc_run inspect --audit --max-value 65MiB
	assert_failure 2
}

@test "a value that is written while it is printed in parts: said, and exit 3" {
	rcli SETRANGE thing:1 5000000 x >/dev/null
	order --at GETRANGE:4 --do hold
	start_run inspect --key thing:1 --raw --max-value 512MiB
	wait_for is_held
	rcli SETRANGE thing:1 1 x >/dev/null
	release
	end_run
	assert_equal "$status" 3
	assert_equal "$(stat -c %s "$DIR/run.out")" 5000001
	assert_regex "$stderr" "'thing:1' was written while it was read"
}

@test "an answer of a kind that was not asked for: refused" {
	EXITS=([get]=0 [warm]=3 [inspect]=4 [inspect-key]=4 [invalidate]=4 [stats]=4 [repl]=4 [discover]=4)
	SAYS='an answer of another type than expected' answered_with '*2\r\n:1\r\n*1\r\n$1\r\nx\r\n'
}
