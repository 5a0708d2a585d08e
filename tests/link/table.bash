# shellcheck shell=bash disable=SC2034,SC2154,SC2016 # the test files set and use these
# Every verb, for the tables of faults: the command in whose place a fault strikes, and the words.
VERBS=(
	'get|GET|get thing 1'
	'warm|EVALSHA:2|warm thing 1 2 3 -o json'
	'inspect|SCAN:2|inspect -o json'
	'inspect-key|GETRANGE|inspect thing 1 -o json'
	'invalidate|WATCH|invalidate thing --all --yes -o json'
	'unlink|UNLINK|invalidate thing --all --yes --no-backup -o json'
	'follow|UNLINK|invalidate --follow - -o json'
	'stats|INFO|stats -o json'
	'bench|GET:3|bench --requests 20 --rate 2000 --clients 2 --keys 50 -o json'
	'repl|PTTL|repl -e "ttl thing 1"'
	'discover|SCAN:2|config discover'
)

# Things 1, 2 and 3 in the source, all of them and more in Redis, and events that drop things 1 and 2.
faults_config() {
	api_config "$THING"' }, "events": { "gone": { "do": [{ "invalidate": "thing" }] } '
	set_data /things/1 '{"v":1}'
	set_data /things/2 '{"v":2}'
	set_data /things/3 '{"v":3}'
	printf '{"event":"gone","id":"%d"}\n' 1 2 >"$DIR/events"
	INPUT=$DIR/events
	printf 'SET thing:%d 0 EX 300\n' {1..150} >"$DIR/fill"
}
refill() { rcli FLUSHALL >/dev/null && rcli <"$DIR/fill" >/dev/null; }

# check_verb: what the run of $verb printed is documented, said, and true.
check_verb() {
	local expected=${EXITS[$verb]}
	[[ $status == "$expected" ]] || { echo "$verb: expected exit $expected; got:"; dump; return 1; }
	if ((status)) || [[ $verb == get && $stderr ]]; then
		[[ $stderr == *"$LINK"* || $stderr == *"$REDIS_SOCKET"* ]] || { echo "$verb: no server named"; dump; return 1; }
		grep -qE "$SAYS" <<<"$stderr" || { echo "$verb: expected '$SAYS'; got:"; dump; return 1; }
	fi
	[[ $verb != get || $output == @(0|'{"v":1}') ]] || { echo "$verb: wrong value"; dump; return 1; }
	[[ ${BLIND:-} ]] || check_counts
}
check_counts() {
	case $verb in
	warm)
		assert_adds_up && assert_json '.requested' 3 || return 1
		assert_json '.stored + .renewed' "$(values_of 1 2 3 | grep -c '"v":[123]')"
		;;
	invalidate | unlink)
		assert_adds_up || return 1
		assert_json 'if .failed > 0 then .removed + .gone <= 150 - '"$(key_count 'thing:*')"' else 0 == '"$(key_count 'thing:*')"' end' true
		;;
	follow)
		assert_json '.events == .applied + .bad + .failed' true || return 1
		assert_json "if .applied == 2 then $(rcli EXISTS thing:1 thing:2) == 0 else true end" true
		;;
	esac
}
values_of() { rcli MGET "${@/#/thing:}"; }
