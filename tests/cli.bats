#!/usr/bin/env bats
# The command line: what is understood, and what is said when it is not.
load helpers

# usage LINE ARGS…: exactly this line, exit code 2, nothing on stdout.
usage() {
	local line=$1
	shift
	cc_run "$@"
	assert_exit 2
	assert_equal "$stderr" "ccache: error: $line"
	assert_equal "$output" ''
}

@test "unknown and ambiguous verbs" {
	usage "unknown verb 'inpsect'; did you mean 'inspect'?" inpsect
	usage "unknown verb 'frobnicate'; 'ccache help' lists the verbs" frobnicate
	usage "unknown verb ''; 'ccache help' lists the verbs" ''
	usage "verb 'in' may be 'inspect' or 'invalidate'" in
	usage "unknown verb 'warmm'; did you mean 'warm'?" help warmm
	usage "unknown verb 'KEYS'; 'ccache inspect --match GLOB' lists keys" KEYS '*'
	usage "unknown verb 'del'; 'ccache invalidate --key KEY' drops a key, and can take it back" del k
	usage "unknown verb 'flushall'; 'ccache invalidate NAMESPACE --all' drops a namespace's keys, and can take them back" flushall
	usage "unknown verb 'info'; 'ccache stats' shows the server's figures and each namespace's" info
	usage "unknown verb 'redis://h/1'; a server's URI stands behind -u" redis://h/1 ping
	usage "unknown verb 'redis://u:***@h/1'; a server's URI stands behind -u" redis://u:hun/ter2@h/1 ping
	usage "unknown verb 'redis://:***@[::1]:1'; a server's URI stands behind -u" 'redis://:hun:t@er2@[::1]:1'
	usage "ping: unexpected argument 'redis://u:***@h'; see 'ccache help ping'" ping redis://u:hunter2@h
	usage "unknown verb 'http://h:1/a:b@c'; a server's URI stands behind -u" http://h:1/a:b@c
	usage "unknown verb 'eval'; 'ccache repl' opens a prompt, where 'redis COMMAND …' sends the server's own" eval 'return 1' 0
	usage "help: unexpected argument 'b'; see 'ccache help help'" help a b
}

@test "verbs and options may be abbreviated as long as they are clear" {
	on_redis
	cc_run insp --lim 3 --out json --match 'x*'
	assert_exit 0
	assert_json .schema ccache.inspect-keys/1
	cc_run inspect --m x
	assert_exit 2
	assert_equal "$output" ''
}

@test "unknown options" {
	usage "unknown option '--limt'; did you mean '--limit'?" inspect --limt 3
	usage "unknown option '--no-such'" --no-such
	usage "unknown option '-V' (a word that begins with '-' goes behind '--')" -V
}

@test "values that an option does not take" {
	usage '--limit needs a value: --limit N' inspect --limit
	usage "--limit 'abc': not a number; write a whole number such as 10" inspect --limit abc
	usage "-p '0': out of range; write 1 to 65535" -p 0 ping
	usage "-p '65536': out of range; write 1 to 65535" ping -p 65536
	usage "--timeout '5x': not a duration; write 250ms, 5s, 2m" --timeout 5x ping
	usage "--count '0': out of range; write 1 to 100000" ping --count 0
	usage "--output 'jsn': did you mean 'json'? It takes table, json, ndjson, csv, prom" --output=jsn ping
	usage '--tls takes no value' --tls=maybe ping
}

@test "too many words" {
	usage "ping: unexpected argument 'x'; see 'ccache help ping'" ping x
	usage "ping: unexpected argument 'x'; see 'ccache help ping'" ping -- x
	usage "stats: unexpected argument '-x'; see 'ccache help stats'" stats -- -x
}

@test "unknown namespaces and vars, missing and surplus ones: known before anything is connected" {
	start_upstream
	use_upstream
	on_redis
	local verb
	for verb in get inspect warm invalidate; do
		usage "unknown namespace 'call-log'; did you mean 'call-logs'?" $verb call-log x
	done
	usage "unknown namespace 'frobnicate' ('ccache config names' lists the 28 known ones)" inspect frobnicate
	usage "'call:logs:507f' is a key of 'call-logs': say --key, or the namespace and its ids" inspect call:logs:507f
	usage "'call:logs:507f' is a key of 'call-logs': say --key, or the namespace and its ids" invalidate call:logs:507f --yes
	usage "'call:1' is a key of 'call': say the namespace and its ids" get call:1
	usage "'call:1' is a key of 'call': say the namespace and its ids" warm call:1
	usage 'call-logs: subaccountId is missing: its key is call:logs:{subaccountId}' get call-logs
	usage "call-logs: 'b' is too much: its key is call:logs:{subaccountId}" get call-logs a b
	usage "call-logs: unknown variable 'subacountId'; did you mean 'subaccountId'?" get call-logs subacountId=1
	usage 'call-logs: subaccountId is empty' get call-logs ''
	usage "call-logs: subaccountId 'a:b' may not hold a ':'" get call-logs a:b
	usage "--where: 'call-logs' has no var 'subaccount'; did you mean 'subaccountId'? (its key is 'call:logs:{subaccountId}')" \
		inspect call-logs --where subaccount=1
	assert_equal "$(upstream_count)" 0
	assert_equal "$(rcli DBSIZE)" 0
}

@test "contradictions are refused before anything happens" {
	on_redis
	usage 'a namespace, --all and --set exclude each other' warm --all call-logs
	usage 'warm: name a namespace, or a set with --set, or take every one with --all' warm
	usage '--no-fetch and --refresh exclude each other' get --no-fetch --refresh call-logs a
	usage "--match: an empty pattern; '*' matches every key, --key '' names the one without a name" inspect --match ''
	usage 'inspect takes one of a namespace, --key and --match' inspect --key a --match b
	usage '--where goes with a namespace' inspect --where a=b
	usage '--all and ids exclude each other' invalidate call-logs a --all
	usage '--all goes with a namespace' invalidate --key a --all
}

@test "the compiler cache's calls are told which program this is" {
	local line="this is Call Cache, which operates application caches on Redis, not the C compiler cache; call that one by its path (such as /usr/bin/ccache)"
	usage "$line" gcc -c x.c
	usage "$line" /usr/bin/clang++-15 -c x.c
	usage "$line" x86_64-linux-gnu-gcc-12 -c x.c
	usage "$line" -s
	usage "$line" -z
	usage "$line" --show-stats
	usage "unknown verb 'gccc'; 'ccache help' lists the verbs" gccc
}

@test "without a verb: help on stderr, exit code 2" {
	cc_run
	assert_exit 2
	assert_equal "$output" ''
	assert_stderr_line 'Usage: ccache [options] VERB'
}

@test "--version names the libraries" {
	cc_run --version
	assert_exit 0
	assert_no_stderr
	assert_regex "${lines[0]}" '^Call Cache \(ccache\) [0-9]+\.[0-9]+\.[0-9]+$'
	assert_regex "$output" 'hiredis [0-9].*libcurl/[0-9].*cJSON [0-9].*libsmartcols [0-9]'
	cc_run inspect --help
	assert_exit 0
	assert_output --partial 'Usage: ccache inspect'
}

@test "help fits 80 columns, for every verb" {
	local verb
	for verb in '' get warm inspect invalidate stats config ping help; do
		cc_run help $verb
		assert_exit 0
		assert_no_stderr
		while IFS= read -r line; do
			((${#line} <= 80)) || fail "$verb: ${#line} columns: $line"
		done <<<"$output"
	done
}

@test "options stand before or behind the verb" {
	start_redis
	rcli SET a 1
	local args
	for args in "-s $REDIS_SOCKET -o json inspect --key a" "inspect --key a -o json -s $REDIS_SOCKET" "-o json inspect -s $REDIS_SOCKET --key=a" \
		"inspect -ojson -s$REDIS_SOCKET --key a"; do
		# shellcheck disable=SC2086 # words
		cc_run $args
		assert_exit 0
		assert_json .key a
	done
}

@test "behind -- everything is a word" {
	on_redis
	cc_run inspect -o json call-logs -- --all
	assert_exit 1
	assert_json .key call:logs:--all
	cc_run -- ping
	assert_exit 0
}

@test "--key before the verb is TLS's, behind it the verb's" {
	start_redis
	rcli MSET a 1 b 2
	cc_run -s "$REDIS_SOCKET" --key some.pem invalidate --key a --yes
	assert_exit 0
	assert_equal "$(rcli --scan | grep -v '^cc:')" b
	cc_run -s "$REDIS_SOCKET" --key b inspect -o json
	assert_exit 0
	assert_json .schema ccache.inspect/1
}

@test "messages as JSON lines, and only those of a level" {
	cc_run --log-format json -s "$DIR/none" ping
	assert_exit 4
	assert_equal "$(jq -r .level <<<"$stderr")" error
	assert_equal "$(jq -r .message <<<"$stderr")" "redis unix:$DIR/none/0: no such socket: is the server running, and is this its 'unixsocket' path?"
	cc_run --log-level silent -s "$DIR/none" ping
	assert_exit 4
	assert_no_stderr
	cc_run -q -s "$DIR/none" ping
	assert_exit 4
	assert_stderr_line 'ccache: error: redis '
}

@test "an option that has nothing to act on is refused" {
	on_redis
	local words format
	for words in '' call-logs '--match a*' 'call-logs --where subaccountId=a'; do
		# shellcheck disable=SC2086 # words
		usage '--raw goes with one key: say --key, or a namespace and its ids' inspect $words --raw
		# shellcheck disable=SC2086 # words
		usage '--max-value goes with one key: say --key, or a namespace and its ids' inspect $words --max-value 64KiB
	done
	usage '--limit goes with a list of keys: name a namespace, or --match' inspect --limit 100
	usage '--limit counts elements: --raw has none' inspect call-logs a --raw --limit 5
	for format in csv prom ndjson; do
		usage "-o $format: get prints the value as it is; leave -o out" get call-logs a -o $format
		usage "-o $format: --raw prints the value as it is; leave -o out" inspect call-logs a --raw -o $format
	done
	rcli SET call:logs:a '{"a":1}' >/dev/null
	local program
	for program in "get call-logs a" "get call-logs a -o json" "inspect --key call:logs:a --raw --max-value 1KiB"; do
		# shellcheck disable=SC2086 # words
		cc_run $program
		assert_exit 0
		assert_equal "$output" '{"a":1}'
	done
}

@test "called by another name: messages, help, examples and --version go by it" {
	ln -s "$CCACHE" "$DIR/callcache"
	CCACHE=$DIR/callcache cc_run --version
	assert_line --index 0 --partial 'Call Cache (callcache) '
	CCACHE=$DIR/callcache cc_run help
	assert_line 'Usage: callcache [options] VERB [options] [arguments]'
	assert_line "'callcache help VERB' explains one; callcache(1) tells the rest."
	local verb
	for verb in get inspect warm invalidate stats ping config help; do
		CCACHE=$DIR/callcache cc_run help $verb
		assert_exit 0
		assert_line --partial "Usage: callcache $verb"
		[[ $output == *"  callcache $verb"* ]] || fail "$output"
		! grep -w ccache <<<"$output" || fail "ccache in help $verb"
	done
	CCACHE=$DIR/callcache cc_run frobnicate
	assert_equal "$stderr" "callcache: error: unknown verb 'frobnicate'; 'callcache help' lists the verbs"
	CCACHE=$DIR/callcache cc_run ping a
	assert_equal "$stderr" "callcache: error: ping: unexpected argument 'a'; see 'callcache help ping'"
	run --separate-stderr bash -c 'exec -a "" "$0" frobnicate' "$CCACHE"
	assert_stderr_line 'ccache: error: unknown verb'
}
