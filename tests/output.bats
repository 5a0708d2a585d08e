#!/usr/bin/env bats
# What is printed: where it cannot go, on which terminal, in which format.
load helpers
load link/link

ID=507f1f77bcf86cd799439011

start_filled() {
	start_system "$@"
	"$CCACHE" warm call-logs -q >/dev/null
}

# --- where it cannot go ---

@test "a full disk: one line and exit code 3, whatever the verb" {
	start_filled
	local verb
	for verb in inspect 'inspect call-logs' "inspect call-logs $ID" "inspect --raw call-logs $ID" stats ping 'warm call-logs' "warm call-logs $ID --dry-run" \
		"get call-logs $ID" "get --meta call-logs $ID" 'invalidate --key none --dry-run' 'invalidate --key none --yes' 'config show' 'config check' \
		'config schema' help 'help warm' --version 'inspect -o json' 'inspect -o csv' 'inspect -o ndjson' 'inspect -o prom'; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr bash -c '"$@" >/dev/full' _ "$CCACHE" $verb
		assert_exit 3
		assert_equal "$stderr" 'ccache: error: standard output: No space left on device'
	done
}

@test "a reader that leaves early: quiet, exit code 3" {
	start_redis --enable-debug-command yes
	rcli DEBUG POPULATE 50000 call:logs 10 >/dev/null
	local format
	for format in csv ndjson json; do
		run --separate-stderr bash -c 'set -o pipefail; "$@" | head -1' _ "$CCACHE" -s "$REDIS_SOCKET" inspect call-logs --limit 0 -o "$format"
		assert_exit 3
		assert_no_stderr
		assert_equal "${#lines[@]}" 1
	done
}

@test "standard output closed" {
	start_filled
	local verb
	for verb in inspect "get call-logs $ID" ping help; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr bash -c '"$@" >&-' _ "$CCACHE" $verb
		assert_exit 3
		assert_equal "$stderr" 'ccache: error: standard output: Bad file descriptor'
	done
	run bash -c '"$@" <&- >&- 2>&-' _ "$CCACHE" inspect
	assert_exit 3
	assert_equal "$(db_size)" 25
}

@test "an unwritable report never hides what was done" {
	start_filled
	run --separate-stderr bash -c '"$@" >/dev/full' _ "$CCACHE" invalidate call-logs "$ID" --yes
	assert_exit 3
	assert_stderr_line "dropping 1 key"
	assert_equal "$(rcli EXISTS "call:logs:$ID")" 0
}

# --- terminals ---

# fits COLUMNS VERB…: on a terminal of that width no line of the verb's answer is wider; they are in $output.
fits() {
	local columns=$1 line
	shift
	start_terminal "$columns" 200 "$CCACHE $* 2>/dev/null; echo ended with \$?"
	wait_for has_ended
	run screen -J # -J: as one line what the terminal had to wrap
	assert_line 'ended with 0'
	for line in "${lines[@]}"; do
		((${#line} <= columns)) || [[ $line == *"$REDIS_SOCKET"* ]] || fail "$* on $columns columns: ${#line}: $line"
	done
}

has_ended() { screen | grep -qx 'ended with [0-9]*'; } # in a file it would stand before the terminal shows the rest

@test "80 and 40 columns: tables leave columns out before they cut, and never wrap" {
	start_system
	"$CCACHE" warm --all -q >/dev/null
	fits 80 inspect
	assert_regex "$output" 'NAMESPACE +KEYS +BYTES +NO TTL +OVER +<60 S +MEDIAN'
	[[ $output != *…* ]] || fail "$output"
	fits 80 stats --scan
	assert_regex "$output" 'NAMESPACE +TARGET +KEYS +BYTES +MEDIAN TTL'
	[[ $output != *…* ]] || fail "$output"
	fits 80 warm --all
	assert_regex "$output" 'NAMESPACE +ASKED +STORED +RENEWED +SKIPPED +ABSENT +FAILED'
	[[ $output != *…* ]] || fail "$output"
	fits 80 inspect call-logs
	fits 40 inspect
	assert_regex "$output" 'NAMESPACE +KEYS +BYTES'
	assert_regex "$output" 'call-logs +25 +'
	fits 40 stats --scan
	assert_regex "$output" 'NAMESPACE +KEYS +BYTES'
	fits 40 warm --all
	assert_regex "$output" 'NAMESPACE +ASKED +RENEWED +FAILED' # what is not 0 stays
	# Valkey 8.1 keeps seven keys in a bucket, and of few buckets no sample is taken
	rcli EVAL 'for i = 1, 6000 do redis.call("SET", "message:m" .. i, "x", "EX", 100) end' 0 >/dev/null
	fits 40 inspect --sample 100
	assert_regex "$output" 'NAMESPACE +KEYS ~ +[+]/-' # an estimate has its bounds
	fits 40 inspect call-logs
	assert_regex "$output" 'call:logs:[0-9a-f]*…[0-9a-f]{6,} +[0-9ms]+ +[0-9.]+ K?i?B'
	# what warns stays, whatever else has to go
	rcli SET call:logs:forever x >/dev/null
	rcli SET message:long x EX 90000 >/dev/null
	fits 40 inspect
	assert_regex "$output" 'NAMESPACE +KEYS +NO TTL +OVER'
	assert_regex "$output" 'call-logs +26 +1 +0'
	# who reads a pipe gets every column
	COLUMNS=40 cc_run inspect
	assert_regex "$output" 'NAMESPACE +KEYS +BYTES +NO TTL +OVER +<60 S +MEDIAN +TTL 1s\.\.7d +MIN +MAX'
}

@test "20 columns: lines wrap, tables leave out or cut" {
	start_filled
	start_terminal 20 200 "$CCACHE inspect; echo ended with \$?"
	wait_for has_ended
	run screen -J # -J: as one line what the terminal had to wrap
	assert_line 'ended with 0'
	assert_regex "$output" "Target +unix:$REDIS_SOCKET/0"
	assert_regex "$output" 'NAMESPACE +KEYS'
	assert_regex "$output" 'call-logs +25'
}

@test "40 columns: help stays readable" {
	local line
	start_terminal 40 300 "$CCACHE help; $CCACHE help inspect; echo end"
	wait_for screen_shows end
	run screen -J
	for line in "${lines[@]}"; do
		# the examples' commands are to be copied and stay whole
		((${#line} <= 40)) || [[ $line == "  ccache "* ]] || fail "${#line} columns: $line"
	done
}

@test "colour on a terminal, none with NO_COLOR or TERM=dumb, never in a pipe" {
	start_filled
	start_terminal 100 30 "$CCACHE -s $DIR/none ping; echo end1; NO_COLOR=1 $CCACHE -s $DIR/none2 ping; echo end2; TERM=dumb $CCACHE -s $DIR/none3 ping; echo end3"
	wait_for screen_shows end3
	run screen -e
	[[ $output == *$'\e[31merror:'*none/0* ]] || fail "not red: $(cat -v <<<"$output")"
	assert_equal "$(grep -c $'\e\[31m' <<<"$output")" 1
	TERM=xterm-256color cc_run inspect
	[[ $output$stderr != *$'\e'* ]] || fail 'an escape in a pipe'
}

@test "no TERM, no HOME" {
	start_filled
	run --separate-stderr env -u TERM -u HOME -u XDG_CONFIG_HOME -u XDG_STATE_HOME -u LC_ALL "$CCACHE" inspect
	assert_exit 0
	assert_no_stderr
	assert_output --partial call-logs
	start_terminal 60 30 "env -u TERM -u HOME $CCACHE inspect call-logs; TERM=dumb $CCACHE stats --watch 100ms; echo end" # once: such a terminal cannot be drawn on
	wait_for screen_shows end
	run screen -e
	[[ $output != *$'\e'* ]] || fail 'an escape without TERM'
}

@test "in the C locale" {
	start_filled
	run --separate-stderr env LC_ALL=C "$CCACHE" inspect call-logs
	assert_exit 0
	assert_output --partial "call:logs:$ID"
}

# --- untrusted bytes ---

@test "control bytes of keys and values never reach the output raw" {
	on_redis
	local key=$'evil\e[31m\a\nkey' args
	rcli SET "$key" $'v\e]0;pwn\a\e[2J' >/dev/null
	rcli HSET evilhash $'f\e[2J' $'v\e[2J' >/dev/null
	rcli SET "call:logs:a"$'\e[2J' x >/dev/null
	safe() {
		[[ $output$stderr != *[$'\e\a\b\r']* ]] || fail "raw control bytes: $(cat -v <<<"$output$stderr")"
	}
	local format
	for format in table json ndjson csv prom; do
		for args in inspect 'inspect --match evil*' 'inspect --key evilhash' 'inspect call-logs' 'invalidate --match evil* --dry-run' stats; do
			# shellcheck disable=SC2086 # words
			cc_run -o $format $args
			assert_exit 0
			safe
		done
		cc_run -o $format inspect --key "$key"
		assert_exit 0
		safe
		cc_run -o $format invalidate --dry-run --key "$key"
		assert_exit 0
		safe
	done
	cc_run inspect --match 'evil*'
	assert_output --partial 'evil\x1b[31m\x07\nkey'
	cc_run inspect --key $'none\e[2J'
	assert_exit 1
	assert_equal "$stderr" "ccache: 'none\\x1b[2J' is not in Redis"
	safe
	cc_run invalidate --key "$key"
	assert_exit 7
	safe
	cc_run inspect $'no\e[2J'
	assert_exit 2
	safe
	cc_run invalidate --key "$key" --yes
	assert_exit 0
	assert_stderr_line "such as 'evil\\x1b[31m\\x07\\nkey'"
	safe
}

# --- formats ---

# The undo file of the last run that dropped something.
undo_file() { find "$XDG_STATE_HOME" -name '*.undo' | sort | tail -1; }

# each_document FUNCTION: runs every kind of document there is, FUNCTION [ARGS…] for each.
each_document() {
	"$1" inspect inspect
	"$1" inspect-keys inspect --match '*'
	"$1" inspect-keys inspect call-logs --limit 2
	"$1" inspect-key inspect call-logs "$ID"
	"$1" inspect-key inspect --key hash
	"$1" inspect-key inspect --key bin
	"$1" inspect-key inspect --key none
	"$1" inspect-audit inspect --audit
	"$1" inspect-ttl inspect --ttl
	"$1" inspect-repair inspect --audit --repair --dry-run
	"$1" inspect-drift inspect call-logs --drift 3
	"$1" stats stats
	"$1" stats stats --scan
	"$1" stats stats --sample 100ms --max-latency 0
	"$1" ping ping
	"$1" config-check config check
	"$1" inspect-sample inspect --sample 100
	"$1" inspect-top inspect --top 3 --by idle
	"$1" inspect-top inspect --match 'call:*' --top 3
	"$1" inspect inspect call-logs --summary
	"$1" config-check config check bad.json
	"$1" invalidate-plan invalidate --match 'b*' --dry-run
	"$1" warm warm --all --dry-run
	"$1" warm warm call-logs "$ID" nonesuch
	"$1" ttl repl -e 'ttl --key bin'
	"$1" ttl repl -e 'ttl call-logs nonesuch'
	"$1" invalidate invalidate --key none --key bin --yes
	"$1" undo invalidate --undo "$(undo_file)" --dry-run
	"$1" event invalidate --event call.updated --data '{"subaccountId":"none"}'
	"$1" event-explain invalidate --event session.completed --data '{"sessionId":"S"}' --explain
	"$1" follow invalidate --follow -
	"$1" bench bench --max --requests 20 --keys 5 --mix get=1,set=1
	"$1" bench-source bench call-logs --source --requests 3
	"$1" bench-stampede bench --stampede 20 --source-latency 5ms
}

fill_for_documents() {
	start_filled
	rcli HSET hash f v >/dev/null
	rcli LPUSH list a b >/dev/null
	rcli SET $'k\xff' 1 >/dev/null
	rcli SET bin $'\xff\xfe' >/dev/null
	rcli EVAL 'for i = 1, 3000 do redis.call("SET", "message:m" .. i, "x", "EX", 100) end' 0 >/dev/null
	echo '{ "namespaces": { "a": { "key": 7, "tll": 5 } } }' >bad.json
}

@test "every JSON document is valid against its schema" {
	"$ROOT/tests/schema/validate.py" --probe || skip 'no python3-jsonschema here'
	fill_for_documents
	check() {
		local kind=$1
		shift
		cc_run -o json "$@"
		((status <= 3)) || { dump && fail "$*"; }
		assert_json .schema "ccache.$kind/1"
		printf '%s\n' "$output" >"docs/$kind.$((++count)).json"
	}
	mkdir docs
	local count=0 schema
	each_document check
	for schema in "$ROOT"/tests/schema/*.json; do
		compgen -G "docs/$(basename "$schema" .json).*" >/dev/null || fail "no document of $schema"
	done
	"$ROOT/tests/schema/validate.py" --each "$ROOT/tests/schema" docs/*.json
}

@test "every NDJSON document ends in its fields, every line is JSON" {
	fill_for_documents
	check() {
		local kind=$1
		shift
		cc_run -o ndjson "$@"
		((status <= 3)) || { dump && fail "$*"; }
		jq -es 'all(.[]; has("table"))' <<<"$output" >/dev/null || fail "$*: $output"
		assert_equal "$(tail -1 <<<"$output" | jq -r .schema)" "ccache.$kind/1"
	}
	each_document check
}

@test "every CSV has as many fields in each row as in its header" {
	fill_for_documents
	check() {
		shift
		cc_run -o csv "$@"
		((status <= 3)) || { dump && fail "$*"; }
		printf '%s\n' "$output" >"docs/$((++count)).${*//[^a-z-]/_}.csv"
	}
	command -v python3 >/dev/null || skip 'no python3 here'
	mkdir docs
	local count=0
	each_document check
	python3 - docs/*.csv <<-'PYTHON'
		import csv, sys
		for name in sys.argv[1:]:
		    rows = list(csv.reader(open(name, newline=""), strict=True))
		    if not rows or len({len(row) for row in rows}) != 1 or not all(rows[0]):
		        sys.exit(f"{name}: {rows}")
	PYTHON
}

@test "Prometheus text: each family once, HELP and TYPE before its samples" {
	fill_for_documents
	local verb
	for verb in inspect stats 'warm call-logs' ping; do
		# shellcheck disable=SC2086 # words
		cc_run -o prom $verb
		assert_exit 0
		[[ $output ]] || fail "$verb: nothing"
		awk '
			/^# HELP / { if (seen[$3]++) exit 1; helped = $3; next }
			/^# TYPE / { if ($3 != helped || $4 !~ /^(gauge|counter)$/) exit 1; typed = $3; next }
			/^[a-z_]+(\{[a-z_]+="([^"\\]|\\.)*"(,[a-z_]+="([^"\\]|\\.)*")*\})? -?[0-9.e+-]+$/ { name = $1; sub(/\{.*/, "", name); if (name != typed) exit 1; next }
			{ exit 1 }' <<<"$output" || fail "$verb: $output"
		if command -v promtool >/dev/null; then
			promtool check metrics <<<"$output"
		fi
	done
	command -v promtool >/dev/null || echo '# no promtool here: only our own check' >&3
}

@test "Prometheus text of what has no figures says so" {
	fill_for_documents
	cc_run -o prom inspect call-logs
	assert_exit 0
	assert_equal "$output" ''
	assert_equal "$stderr" 'ccache: warning: -o prom: nothing in this answer is a figure to scrape; take -o json'
}

# --- signals ---

populate() {
	start_redis --enable-debug-command yes
	rcli DEBUG POPULATE "$1" key 10 >/dev/null
	export REDIS_URL=unix://$REDIS_SOCKET
}

# An inspect of 20,000 keys that is held where it asks for the 3,000th: it looked at more than a page.
start_inspect() {
	start_link --at PTTL:3000 --do hold
	start_run inspect -o json "$@"
	wait_for --for 60 held_or_over
	is_held
}

@test "Ctrl-C and SIGTERM in a long inspect: a truthful part, 130 and 143" {
	populate 20000
	local signal
	for signal in INT TERM; do
		start_inspect
		kill -"$signal" "$RUN_PID"
		end_run
		assert_exit $((128 + $(kill -l "$signal")))
		assert_json '[.complete, .keys > 0, .keys < 20000]' '[false,true,true]'
		assert_equal "$stderr" "ccache: error: redis unix:$LINK/0: interrupted"
	done
}

@test "Ctrl-C ends the wait for a server that is stuck" {
	populate 1000
	kill -STOP "$REDIS_PID"
	"$CCACHE" inspect --timeout 60s >out 2>err 3>&- 4>&- &
	local pid=$! code=0
	connecting() { [[ $(readlink /proc/"$pid"/fd/* 2>/dev/null) == *socket:* ]]; }
	wait_for connecting
	kill -INT "$pid"
	wait_for --for 30 gone "$pid"
	wait "$pid" || code=$?
	kill -CONT "$REDIS_PID"
	assert_equal "$code" 130
	assert_equal "$(cat err)" "ccache: error: redis unix:$REDIS_SOCKET/0: interrupted"
}

@test "Ctrl-C ends it while it writes to a pipe that nobody reads" {
	populate 300000
	mkfifo pipe
	exec 8<>pipe
	"$CCACHE" inspect --limit 0 -o csv --match '*' >pipe 2>err 3>&- 4>&- 8>&- &
	local pid=$! code=0
	full() { ! dd if=/dev/zero of=pipe bs=4096 count=1 oflag=nonblock conv=notrunc; }
	wait_for full
	kill -INT "$pid"
	wait_for gone "$pid"
	exec 8>&-
	wait "$pid" || code=$?
	assert_equal "$code" 130
	grep -q 'standard output: nobody reads it' err
}

@test "Ctrl-Z and fg in a long inspect: the count is whole" {
	populate 20000
	start_inspect -q
	kill -STOP "$RUN_PID"
	stopped() { [[ $(cut -d ' ' -f 3 "/proc/$RUN_PID/stat") == T ]]; }
	wait_for stopped
	release
	assert_equal "$(rcli PING)" PONG
	kill -CONT "$RUN_PID"
	end_run
	assert_json '[.complete, .keys]' '[true,20000]'
}
