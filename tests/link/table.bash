# shellcheck shell=bash disable=SC2034,SC2154,SC2016,SC2119 # the test files set and use these
# Every verb, for the tables of faults: the command in whose place a fault strikes, and the words. Loaded behind link.bash
# and clock.bash.
VERBS=(
	'get|GET|get thing 1'
	'warm|EVALSHA:2|warm thing 1 2 3 -o json'
	'inspect|SCAN:2|inspect -o json'
	'inspect-key|GETRANGE|inspect thing 1 -o json'
	'invalidate|WATCH|invalidate thing --all --yes -o json'
	'unlink|UNLINK|invalidate thing --all --yes --no-backup -o json'
	'follow|UNLINK|invalidate --follow - -o json'
	'stats|INFO|stats -o json'
	'bench|GET:3|bench --yes --requests 20 --rate 2000 --clients 2 --keys 50 -o json'
	'repl|PTTL|repl -e "ttl thing 1"'
	'discover|SCAN:2|config discover'
)

# Some more, for a table that wants them: VERBS+=("${MORE_VERBS[@]}").
MORE_VERBS=(
	'audit|SCAN:2|inspect thing --audit -o json'
	'drift|GET:2|inspect thing --drift 3 -o json'
	'undo|RESTORE|invalidate --undo undo --yes -o json'
	'soft|WATCH|invalidate thing --all --soft --in 100s --yes -o json'
)

# table_system [redis-server options]: what the tables are run on.
table_system() {
	sandbox
	on_redis "$@"
	start_upstream
	use_upstream
	faults_config
}
# Things 1, 2 and 3 in the source, all of them and more in Redis, and events that drop things 1 and 2.
faults_config() {
	api_config "$THING"' }, "events": { "gone": { "do": [{ "invalidate": "thing" }] } '
	set_data /things/1 '{"v":1}'
	set_data /things/2 '{"v":2}'
	set_data /things/3 '{"v":3}'
	printf '{"event":"gone","id":"%d"}\n' 1 2 >"$DIR/events"
	INPUT=$DIR/events
	fill_with 1
}
# fill_with BYTES: so long is each value from now on.
fill_with() {
	local i
	for i in {1..150}; do
		printf 'SET thing:%d %0*d EX 300\n' "$i" "$1" 0
	done >"$DIR/fill"
}
refill() { rcli FLUSHALL >/dev/null && rcli <"$DIR/fill" >/dev/null; }
# What there was is in a file only.
save_all() {
	rm -f "$DIR/undo"
	"$CCACHE" -s "$REDIS_SOCKET" invalidate thing --all --yes -q --backup "$DIR/undo" >/dev/null
}

# struck_by HURT…: each verb in turn is held at its command, HURT runs, and the run goes on. Its exit code is that of
# EXITS, its standard error holds SAYS and the server's name unless it is 0, and the counts are true. An exit code of
# "waits" or "waits:N": the run meets SAYS and waits until HEAL has run, and ends with 0 or N. FLIES=1: its --timeout
# passes quickly once HURT has run (own_clocks was called before).
struck_by() { each_verb strike "$@"; }
strike() {
	hold_run
	"$@"
	[[ ! ${FLIES:-} ]] || time_flies
	release
	if [[ $expected == waits* ]]; then
		wait_for has_met_trouble
		$HEAL
		expected=${expected#waits}
		expected=${expected#:}
		expected=${expected:-0}
	fi
	end_run
	[[ ! ${HEAL_FIRST:-} ]] || $HEAL
}

# met_by FAULT…: the same, with a link that does FAULT (as link.py's --do, and more options) at the verb's command.
met_by() { each_verb meet "$@"; }
meet() {
	order --at "$at" --do "$@"
	eval "start_run $words"
	if [[ ${FLIES:-} ]]; then
		wait_for struck_or_over
		time_flies
	fi
	end_run
}

# each_verb RUN…: runs $words of each verb in EXITS, over fresh keys, by RUN, and checks what came of it.
each_verb() {
	local row verb at words expected bad=0
	for row in "${VERBS[@]}"; do
		IFS='|' read -r verb at words <<<"$row"
		expected=${EXITS[$verb]:-}
		[[ $expected ]] || continue
		refill
		[[ $verb != undo ]] || save_all
		time_walks
		"$@"
		check_verb || bad=1
		${HEAL:-true}
	done
	((!bad))
}

# With a short --timeout, a machine that is busy elsewhere may end the run before it comes to its command.
hold_run() {
	local tries
	for tries in 1 2 3 4 5; do
		order --at "$at" --do hold
		eval "start_run $words"
		wait_for --for 120 held_or_over
		! is_held || return 0
		end_run
	done
	fail "$verb: never held, in $tries runs: $(cat "$DIR/run.err")"
}

has_met_trouble() { grep -qE "$SAYS" "$DIR/run.err" || has_answered "$SAYS"; }

# check_verb: the run of $verb ended as $expected (a pattern), and what it printed is documented, said, and true.
check_verb() {
	# shellcheck disable=SC2053 # a pattern
	[[ $status == $expected ]] || { echo "$verb: expected exit $expected; got:"; dump; return 1; }
	# 1 is a finding, no trouble
	if ((status > 1)) || [[ $verb == get && $stderr ]]; then
		[[ $stderr == *"$LINK"* || $stderr == *"$REDIS_SOCKET"* ]] || { echo "$verb: no server named"; dump; return 1; }
		grep -qE "$SAYS" <<<"$stderr" || { echo "$verb: expected '$SAYS'; got:"; dump; return 1; }
	fi
	# a long value of zeros, where the server sends it (Valkey 9.1 holds no copy in the buffer), overflows a +(0)
	[[ $verb != get || $output == '{"v":1}' || ($output && ! ${output//0/}) ]] || { echo "$verb: wrong value"; dump; return 1; }
	[[ ${BLIND:-} ]] || check_counts
}
check_counts() {
	local there
	there=$(values_of 1 2 3 | grep -c '"v":[123]')
	case $verb in
	warm)
		assert_adds_up && assert_json '.requested' 3 || return 1
		assert_json "(.stored + .renewed) as \$n | \$n == $there or (.complete | not) and \$n < $there" true
		;;
	invalidate | unlink)
		assert_adds_up || return 1
		assert_json 'if .failed > 0 then .removed + .gone <= 150 - '"$(key_count 'thing:*')"' else 0 == '"$(key_count 'thing:*')"' end' true
		;;
	undo)
		assert_adds_up && assert_json ".restored <= $(key_count 'thing:*') and $(key_count 'thing:*') <= .restored + .failed" true
		;;
	soft) assert_adds_up && assert_json "$(key_count 'thing:*')" 150 ;;
	follow)
		assert_json '.events == .applied + .bad + .failed + .unfinished' true || return 1
		assert_json "if .applied == 2 then $(rcli EXISTS thing:1 thing:2) == 0 else true end" true
		;;
	esac
}
values_of() { rcli MGET "${@/#/thing:}"; }
