# ccache bench: the load it makes, what it counts, what it leaves behind.
load helpers
load verbs

setup() {
	sandbox
	on_redis
}

# commands NAME: how often the server ran it.
commands() {
	local count
	count=$(rcli INFO commandstats | tr -d '\r' | sed -n "s/^cmdstat_$1:calls=\([0-9]*\),.*/\1/p")
	echo "${count:-0}"
}

nothing_left() { assert_equal "$(rcli --scan --pattern 'cc:bench:*')" ''; }

@test "bench: a closed loop does exactly the requests asked for, and removes its keys" {
	cc_run bench --max --requests 5000 --keys 100 --size 20 --clients 7 --pipeline 3 --mix get=3,set=1 -o json -q
	assert_exit 0
	assert_no_stderr
	assert_json '[.schema, .count, .errors, .hit_ratio, .partial, .offered_per_second]' '["ccache.bench/1",5000,0,1,false,null]'
	assert_json '[.operations[] | [.namespace, .operation, .errors]]' '[["(plain)","get",0],["(plain)","set",0]]'
	assert_json '[.operations[].count] | add' 5000
	assert_json '.value_bytes' $((5000 * 20))
	assert_json '[.seconds[].count] | add' 5000
	assert_equal "$(commands get)" "$(jq '.operations[0].count' <<<"$output")"
	nothing_left
	# what so few cost the server cannot be told from what the asking does
	cc_run bench --max --requests 10 --keys 1 -o json -q
	assert_json '.elapsed_ms >= 100 or .server_cpu == null' true
}

@test "bench: an open loop sends what the schedule says" {
	cc_run bench --rate 2000 --requests 400 --keys 10 -o json -q
	assert_exit 0
	assert_json '[.count, .errors, .unsent, .offered_per_second]' '[400,0,0,2000]'
	assert_json '.operations[0] | .p50_us >= .service_p50_us' true
	cc_run bench --rate 500 --duration 400ms --keys 10 --poisson --seed 7 -o json -q
	assert_exit 0
	local count
	# a machine that stands still for a second does not send all
	count=$(jq '.count + .unsent' <<<"$output")
	cc_run bench --rate 500 --duration 400ms --keys 10 --poisson --seed 7 -o json -q
	assert_json '.count + .unsent' "$count"
	cc_run bench --rate 100 --ramp-to 900 --duration 400ms --keys 10 -o json -q
	assert_exit 0
	assert_json '.count + .unsent' 200
	nothing_left
}

# on_an_old_kernel COMMAND…: epoll_pwait2 (441 everywhere, since Linux 5.11) is not implemented there.
on_an_old_kernel() {
	python3 - "$@" <<-'PY'
		import ctypes, os, struct, sys
		ENOSYS = 38
		# load the number; if it is 441: the error, else: go on
		code = struct.pack('=HBBIHBBIHBBIHBBI', 0x20, 0, 0, 0, 0x15, 0, 1, 441,
		                   0x06, 0, 0, 0x00050000 | ENOSYS, 0x06, 0, 0, 0x7fff0000)
		buffer = ctypes.create_string_buffer(code)
		program = ctypes.create_string_buffer(struct.pack('=H6xQ', 4, ctypes.addressof(buffer)))
		prctl = ctypes.CDLL(None).prctl
		assert prctl(38, 1, 0, 0, 0) == 0 and prctl(22, 2, program, 0, 0) == 0
		os.execvp(sys.argv[1], sys.argv[1:])
	PY
}

@test "bench: an open loop on a kernel that has no epoll_pwait2" {
	command -v python3 >/dev/null || skip 'no python3 here'
	run --separate-stderr on_an_old_kernel "$CCACHE" bench --rate 2000 --requests 400 --keys 10 -o json -q
	assert_exit 0
	assert_json '[.count, .errors, .unsent]' '[400,0,0]'
}

@test "bench: the keys are the namespaces' own, with their share of misses" {
	cc_run bench call-logs campaign-shard active-calls --max --requests 300 --keys 5 --clients 1 -o json -q
	assert_exit 0
	assert_json '[.operations[].namespace]' '["call-logs","campaign-shard","active-calls"]'
	assert_json '[.hit_ratio, .errors]' '[1,0]'
	cc_run bench message --max --requests 2000 --keys 50 --miss 25% -o json -q
	assert_json '.operations[0] | .hits + .misses == .count and .misses > 300 and .misses < 700' true
	nothing_left
}

@test "bench: a namespace is read and written by its type, bounded, with a TTL" {
	local type
	for type in hash set zset list stream; do
		echo "\"a-$type\":{\"key\":\"$type:{id}\",\"type\":\"$type\",\"ttl\":\"1h\"}"
	done | paste -sd, | sed 's/.*/{"namespaces":{&}}/' >types.json
	export CALLCACHE_CONFIG=$PWD/types.json
	cc_run bench a-hash a-set a-zset a-list --max --requests 2000 --threads 2 --keys 10 --clients 4 --size 160-320 --mix get=1,set=1 -o json -q
	assert_exit 0
	assert_json '[.count, .errors, .hit_ratio]' '[2000,0,1]'
	assert_json '[.operations[] | select(.operation == "get") | .value_bytes / .count | . >= 150 and . < 400] | all' true
	local name
	for name in hgetall hset smembers sadd zrange zadd lrange lpush; do (($(commands "$name") > 100)) || fail "no $name"; done
	# one HSET is the entry of the run
	assert_equal "$(commands pexpire)" "$((-1 + $(commands hset) + $(commands sadd) + $(commands zadd) + $(commands lpush)))"
	in_background bench.log "$CCACHE" bench a-hash a-list --max --duration 1h --keys 4 --mix get=2,set=2,del=1 --miss 50% -o json
	wait_for eval '(($(commands unlink) > 100))'
	kill -INT "$STARTED"
	wait_for gone "$STARTED"
	output=$(grep '^{' "$DIR/bench.log") stderr=
	assert_json '[.operations[] | select(.operation == "get") | .misses > 0 and .hits > 0] | all' true
	nothing_left
	cc_run bench a-stream --requests 1
	assert_exit 2
	assert_stderr_line 'holds a stream, which has no value to read whole: give a --command'
	cc_run bench a-hash --verify --requests 1
	assert_exit 2
	assert_stderr_line '--verify knows only strings: namespace a-hash holds a hash'
}

@test "bench: keys are written with a TTL and the template's name" {
	in_background bench.log "$CCACHE" bench lead-context --rate 100 --duration 1h --keys 3 --ttl 90s
	wait_for eval '[[ $(commands get) -gt 0 ]]'
	local key
	key=$(rcli --scan --pattern 'cc:bench:*bici:ctx:000000000002')
	[[ $key =~ ^cc:bench:[0-9a-z]{12}:bici:ctx:000000000002$ ]] || fail "key: $key"
	(($(rcli PTTL "$key") > 0 && $(rcli PTTL "$key") <= 90000)) || fail 'no such TTL'
	assert_equal "$(rcli STRLEN "$key")" 1024
	kill -INT "$STARTED"
	wait_for gone "$STARTED"
	wait "$STARTED" || assert_equal $? 130
	grep -q '^Partial  *yes' "$DIR/bench.log" || fail "$(cat "$DIR/bench.log")"
	nothing_left
}

@test "bench: what a killed run left is removed by the next one" {
	in_background bench.log "$CCACHE" bench --rate 100 --duration 1h --keys 20
	wait_for eval '[[ $(commands get) -gt 0 ]]'
	kill -KILL "$STARTED"
	wait_for gone "$STARTED"
	wait "$STARTED" || true
	assert_equal "$(rcli --scan --pattern 'cc:bench:*:key:*' | wc -l)" 20
	cc_run bench --max --requests 10 --keys 1
	assert_exit 0
	assert_stderr_line 'removed 20 keys that 1 killed runs had left'
	nothing_left
}

@test "bench: a run beside it is not taken for a killed one" {
	in_background bench.log "$CCACHE" bench --rate 100 --duration 1h --keys 20
	wait_for eval '[[ $(commands get) -gt 0 ]]'
	cc_run bench --max --requests 10 --keys 1
	assert_exit 0
	refute_stderr_line removed
	assert_equal "$(rcli --scan --pattern 'cc:bench:*:key:*' | wc -l)" 20
}

@test "bench: errors are no throughput, and are told by code" {
	in_background bench.log "$CCACHE" bench --max --duration 1h --mix set=1 --keys 10 --clients 5 -o json
	wait_for eval '[[ $(commands set) -gt 0 ]]'
	rcli CONFIG SET maxmemory 1 >/dev/null
	# more often than there are clients: it has heard of one
	wait_for eval '(($(rcli INFO errorstats | tr -d "\r" | sed -n "s/^errorstat_OOM:count=//p") > 5))'
	kill -INT "$STARTED"
	wait_for gone "$STARTED"
	output=$(grep '^{' "$DIR/bench.log") stderr=
	assert_json '.errors > 0 and .errors == (.errors_by_code[] | select(.error == "OOM") | .count)' true
	assert_json '.count == ([.operations[].count] | add)' true
	grep -q "operations failed: OOM command not allowed" "$DIR/bench.log" || fail "$(cat "$DIR/bench.log")"
}

@test "bench: a server that dies in the run: partial figures, exit 4" {
	in_background bench.log "$CCACHE" --timeout 5s bench --rate 200 --duration 1h --keys 10 -o ndjson
	wait_for grep -q '"count":[1-9]' "$DIR/bench.log"
	kill -KILL "$REDIS_PID"
	wait_for gone "$STARTED"
	local code=0
	wait "$STARTED" || code=$?
	assert_equal "$code" 4
	output=$(grep '^{.*"ccache.bench/1"' "$DIR/bench.log")
	assert_json '[.partial, .count > 0]' '[true,true]'
	grep -q 'may still be there' "$DIR/bench.log" || fail "$(cat "$DIR/bench.log")"
}

@test "bench: refusals of the server before it begins" {
	rcli CONFIG SET maxclients 10 >/dev/null
	cc_run bench --max --requests 10 --clients 50 --keys 1 -q
	assert_exit 4
	assert_stderr_line 'of 50 (does maxclients allow more?)'
	wait_for eval '[[ $(rcli PING) == PONG ]]' # it may not yet have noticed that they are gone
	nothing_left
	rcli CONFIG SET maxclients 1000 requirepass secret >/dev/null
	cc_run bench --max --requests 10 --keys 1 -q
	assert_exit 4
	assert_stderr_line NOAUTH
	REDIS_PASSWORD=wrong cc_run bench --max --requests 10 --keys 1 -q
	assert_exit 4
	assert_stderr_line WRONGPASS
	rcli -a secret --no-auth-warning CONFIG SET requirepass '' >/dev/null
	rcli CONFIG SET maxmemory 4mb >/dev/null
	cc_run bench --max --requests 10 --keys 100000 -q
	assert_exit 7
	assert_stderr_line "the server's maxmemory leaves"
	nothing_left
	rcli ACL SETUSER eye on '>pw' '~*' +@read +ping +client +hello >/dev/null
	REDIS_USERNAME=eye REDIS_PASSWORD=pw cc_run bench --max --requests 10 -q
	assert_exit 4
	assert_stderr_line NOPERM
}

@test "bench: absurd options are refused by name" {
	local line
	while IFS='|' read -r line want; do
		# shellcheck disable=SC2086 # words
		cc_run bench $line
		assert_exit 2
		assert_stderr_line "$want"
	done <<-'CASES'
		--clients 0|--clients
		--threads 1000000|--threads
		--threads 4 --clients 3|a thread without a client
		--rate 0|--rate
		--size -5|--size '-5': 0 to 64MiB
		--size 9-5|ends before it begins
		--size 5GiB|at most 64MiB
		--mix get=-1|--mix: 'get=-1'
		--mix get=0|leaves nothing to do
		--mix read=1|--mix: 'read=1'
		--max --rate 5|--max and --rate exclude
		--pipeline 3|--pipeline goes with --max
		--ramp-to 5 --requests 5|--ramp-to needs a --duration
		--exponent 0|--exponent '0'
		--duration 0|--duration
		--keys 0|--keys
		active-calls --miss 5%|is a single key
		cal-logs|did you mean 'call-logs'
	CASES
}

@test "bench: a server elsewhere needs --yes for more than a little" {
	start_redis_elsewhere() { [[ $(hostname -I) =~ ([0-9]+\.[0-9.]+) ]] && HOST=${BASH_REMATCH[1]}; }
	start_redis_elsewhere || skip 'this machine has no other address'
	unset REDIS_URL
	TCP=1 REDIS_NAME=far start_redis --protected-mode no --bind "$HOST" 127.0.0.1
	cc_run -h "$HOST" -p "$REDIS_TCP_PORT" bench --max --requests 10 --keys 1
	assert_exit 7
	assert_stderr_line "is not on this machine: more than 1000 operations/s, 50 clients or 60 s there needs --yes"
	cc_run -h "$HOST" -p "$REDIS_TCP_PORT" bench --max --requests 10 --keys 1 --yes -q
	assert_exit 0
}

@test "bench: --dry-run says what it would do and does nothing" {
	cc_run bench call-logs --rate 3000 --dry-run
	assert_exit 0
	assert_equal "$output" ''
	assert_stderr_line 'get 100 % of call-logs (10,000 keys, 1 KiB); open loop, 3,000/s, 50 clients, 10s; keys cc:bench:'
	assert_equal "$(commands set)" 0
}

@test "bench: threads, warm-up, zipfian and sequential ids" {
	cc_run bench --max --requests 999 --threads 3 --clients 10 --keys 30 --pick zipfian --exponent 1.1 -o json -q
	assert_exit 0
	assert_json '[.count, .errors, .hit_ratio]' '[999,0,1]'
	cc_run bench --max --requests 300 --warm-up 50ms --keys 30 --pick sequential -o json -q
	assert_exit 0
	assert_json '[.count, .hit_ratio]' '[300,1]'
	in_background bench.log "$CCACHE" bench --max --duration 1h --warm-up 1h --keys 30 -o json
	wait_for eval "((\$(commands get) > $(commands get) + 100))"
	kill -INT "$STARTED"
	wait_for gone "$STARTED"
	run cat "$DIR/bench.log"
	assert_output --partial interrupted
	refute_output --partial '"count"' # what was read to warm up is none of the figures
}

@test "bench: at 40 columns nothing of the tables and the picture wraps" {
	start_terminal 40 100 "$CCACHE" -s "$REDIS_SOCKET" bench message --rate 500 --requests 600 --keys 9 --mix get=1,set=1 -q
	wait_for screen_shows 'p99 of each'
	wait_for screen_shows 'Within: 50 %'
	output=$(screen -J | sed -n '/^NAMESPACE/,$p') stderr=
	[[ $output == *'message'*'up to'*'#'*'100 %'* ]] || fail "$output"
	assert_equal "$(awk 'length > 40' <<<"$output")" ''
}

@test "bench: NDJSON has a line a second, and ends in its fields" {
	cc_run bench --rate 200 --requests 20 --keys 5 -o ndjson -q
	assert_exit 0
	assert_equal "$(head -1 <<<"$output" | jq -c '[.table, .second]')" '["seconds",0]'
	assert_equal "$(jq -s 'map(select(.table == "seconds").count) | add' <<<"$output")" 20
	assert_equal "$(tail -1 <<<"$output" | jq -c '[.table, .schema, .count]')" '["bench","ccache.bench/1",20]'
	cc_run bench --rate 200 --requests 20 --keys 5 -q
	assert_exit 0
	[[ $output == *'Offered'*'200/s'*'(plain)'*'get'* ]] || fail "$output"
	[[ $output == *'Response times:'*'up to'*'#'*'Within: 50 %'*'99.9 %'* ]] || fail "$output"
	cc_run bench --max --requests 20 --keys 5 -o prom -q
	assert_exit 0
	assert_regex "$output" 'callcache_bench_p99_seconds[{]namespace="[(]plain[)]",operation="get"[}] [0-9]+([.][0-9]|e-0)'
	if command -v promtool >/dev/null; then
		run promtool check metrics <<<"$output"
		assert_exit 0
	fi
}
