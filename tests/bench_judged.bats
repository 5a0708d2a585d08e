# ccache bench: values that are verified, commands, real keys, and how a run is judged.
load helpers
load verbs

setup() {
	sandbox
	on_redis
}

nothing_left() { assert_equal "$(rcli --scan --pattern 'cc:bench:*')" ''; }

@test "bench: --verify finds nothing wrong in a good server, over threads and rounds" {
	cc_run bench --max --requests 3000 --keys 60 --clients 10 --threads 2 --rounds 2 --verify --size 40 --mix get=1,set=1 -o json -q
	assert_exit 0
	assert_json '[.count, .errors, .wrong]' '[6000,0,0]'
	assert_json '.operations[] | select(.operation == "get") | [.foreign, .torn, .stale, .misses]' '[0,0,0,0]'
	nothing_left
}

# spoil KEY SCRIPT: waits for a verifying run's key and changes its value by a line of Lua that gives the new one.
spoil() {
	in_background bench.log "$CCACHE" bench --rate 100 --duration 1h --keys 2 --clients 1 --verify --size 60 -o json
	wait_for eval '[[ $(rcli INFO commandstats) == *cmdstat_get:* ]]'
	rcli EVAL "local k = redis.call('keys', '*:key:000000000000')[1]
		local other = redis.call('get', redis.call('keys', '*:key:000000000001')[1])
		local v = redis.call('get', k); redis.call('set', k, $1, 'KEEPTTL')" 0 >/dev/null
	wait_for eval '[[ $(rcli INFO commandstats | sed -n "s/^cmdstat_get:calls=\([0-9]*\),.*/\1/p") -gt '"$(($(rcli INFO commandstats | sed -n 's/^cmdstat_get:calls=\([0-9]*\),.*/\1/p') + 40))"' ]]'
	kill -INT "$STARTED"
	wait_for gone "$STARTED"
	output=$(grep '^{' "$DIR/bench.log") stderr=
}

@test "bench: --verify tells torn values" {
	spoil "string.sub(v, 1, 50) .. 'x' .. string.sub(v, 52)"
	assert_json '.operations[0] | [.torn > 0, .foreign, .stale]' '[true,0,0]'
	grep -q 'values were not what was written' "$DIR/bench.log" || fail "$(cat "$DIR/bench.log")"
}

@test "bench: --verify tells another key's value" {
	spoil other
	assert_json '.operations[0] | [.foreign > 0, .torn, .stale]' '[true,0,0]'
}

@test "bench: --command on keys that --prepare made, with a TTL; nothing else is run" {
	cc_run bench --max --requests 500 --keys 20 --size 9 --prepare 'HSET {key} f {value}' --command 'HGET {key} f' -o json -q
	assert_exit 0
	assert_json '.operations[0] | [.operation, .count, .errors, .hits]' '["command",500,0,500]'
	cc_run bench --max --requests 100 --keys 20 --command 'STRLEN {key}' --mix get=1,command=1 -o json -q
	assert_exit 0
	assert_json '[.operations[].operation]' '["get","command"]'
	cc_run bench --max --requests 100 --keys 20 --command 'LPUSH {key} x' -o json -q
	assert_exit 4
	assert_json '[.count, .errors, .errors_by_code[0].error]' '[0,100,"WRONGTYPE"]'
	nothing_left
	local command
	for command in FLUSHALL 'SET other {value}' 'MSET {key} 1 other 2' 'CONFIG GET x' SHUTDOWN; do
		cc_run bench --command "$command" --requests 1
		assert_exit 7
		assert_stderr_line --command
	done
	cc_run bench --command PING --max --requests 5 --keys 1 -q
	assert_exit 0
	cc_run bench --command 'GET "open' --requests 1
	assert_exit 2
	cc_run bench --command 'GET {key}' --mix get=1 --requests 1
	assert_exit 2
	assert_stderr_line 'add command=N'
	cc_run bench --mix command=1 --requests 1
	assert_exit 2
	assert_stderr_line 'needs a --command'
}

@test "bench: --ids makes the keys of a file's ids" {
	printf '%s\n' 507f1f77bcf86cd799439011 507f1f77bcf86cd799439012 >ids
	in_background bench.log "$CCACHE" bench call-logs --ids ids --rate 100 --duration 1h
	wait_for eval '[[ $(rcli INFO commandstats) == *cmdstat_get:* ]]'
	assert_equal "$(rcli --scan --pattern 'cc:bench:*:call:logs:*' | sed 's/.*:call:logs://' | sort | tr '\n' ' ')" \
		'507f1f77bcf86cd799439011 507f1f77bcf86cd799439012 '
	cc_run bench --ids ids --requests 1
	assert_exit 2
	assert_stderr_line 'goes with one namespace'
	cc_run bench call-logs --ids none --requests 1
	assert_exit 2
	: >empty
	cc_run bench call-logs --ids empty --requests 1
	assert_exit 2
	assert_stderr_line 'there is no id in it'
	echo 'a:b' >bad
	cc_run bench call-logs --ids bad --requests 1
	assert_exit 2
	assert_stderr_line 'bad:1'
}

@test "bench: --read-live reads real keys and writes nothing" {
	rcli MSET message:1 a message:2 bb other 1 >/dev/null
	cc_run bench message --read-live --max --requests 200 -o json -q
	assert_exit 0
	assert_json '.operations[0] | [.hits, .misses]' '[200,0]'
	assert_equal "$(rcli DBSIZE)" 3
	assert_equal "$(rcli INFO commandstats | grep -c 'cmdstat_\(set\|hset\|unlink\|del\):')" 0
	cc_run bench lead --read-live --requests 1
	assert_exit 3
	assert_stderr_line 'no key of lead is in Redis'
	cc_run bench message --read-live --mix set=1 --requests 1
	assert_exit 2
	assert_stderr_line '--read-live only reads'
}

@test "bench: --sample takes the sizes of real values" {
	rcli SET message:1 "$(printf '%0200d' 0)" >/dev/null
	rcli SET message:2 "$(printf '%0300d' 0)" >/dev/null
	cc_run bench message --sample 10 --max --requests 1000 --keys 50 --mix set=1 -o json -q
	assert_exit 0
	assert_json '.value_bytes / 1000 | . > 210 and . < 290' true
	cc_run bench lead --sample 10 --requests 1
	assert_exit 3
	cc_run bench message --sample 10 --sample-ttl --requests 1
	assert_exit 3
	assert_stderr_line 'no key of message has a TTL'
	cc_run bench message --sample-ttl --requests 1
	assert_exit 2
	assert_stderr_line '--sample-ttl goes with --sample'
	rcli PEXPIRE message:1 500000 >/dev/null
	rcli PEXPIRE message:2 90000000 >/dev/null
	in_background bench.log "$CCACHE" bench message --sample 10 --sample-ttl --rate 100 --duration 1h --keys 40
	wait_for eval '[[ $(rcli INFO commandstats) == *cmdstat_get:* ]]'
	local key ttl
	rcli --scan --pattern 'cc:bench:*:message:*' | while read -r key; do
		ttl=$(rcli PTTL "$key")
		echo $((ttl <= 500000 ? 1 : ttl > 3600000 && ttl <= 90000000 ? 2 : 3))
	done | sort -u >kinds
	assert_equal "$(paste -sd' ' kinds)" '1 2'
}

@test "bench: assertions: held, missed (exit 1, named with the figure), not understood" {
	cc_run bench --max --requests 300 --keys 5 --assert 'errors==0' --assert 'get.p99<100s' --assert 'hits>=99%' --assert 'count!=5' \
		--assert 'rate>0.1' --assert 'max>=1ns' -o json -q
	assert_exit 0
	assert_json '[.assertions[].holds] | all' true
	cc_run bench --max --requests 300 --keys 5 --assert 'get.p99.9<1ns' --assert 'errors==0' -o json
	assert_exit 1
	assert_stderr_line "--assert 'get.p99.9<1ns' does not hold: "
	assert_json '[.assertions[] | [.assertion, .holds]]' '[["get.p99.9<1ns",false],["errors==0",true]]'
	cc_run bench --max --requests 300 --keys 5 --assert 'set.p50<1s' -q
	assert_exit 1
	assert_output --partial 'there is no such figure'
	local line want
	while IFS='|' read -r line want; do
		cc_run bench --requests 1 --assert "$line"
		assert_exit 2
		assert_stderr_line "$want"
	done <<-'CASES'
		get.p99|a comparison is missing
		get.p101<1ms|'get.p101' is no figure
		put.p99<1ms|'put.p99' is no figure
		p99<5|'5' is no time
		errors<few|'few' is no number
	CASES
}

@test "bench: --baseline: same, worse (exit 1), not a baseline" {
	cc_run bench --max --requests 300 --keys 5 --rounds 4 -o json -q
	assert_exit 0
	assert_json '[.rounds[] | [.round, .operation]]' '[[0,"get"],[1,"get"],[2,"get"],[3,"get"]]'
	printf '%s\n' "$output" >then.json
	cc_run bench --max --requests 300 --keys 5 --rounds 4 --baseline then.json --max-regress 100% -o json -q
	((status <= 1)) || assert_exit 0
	assert_json '[.comparison[] | [.operation, .figure, .rounds]]' '[["get","per_second",4],["get","p50_us",4],["get","p99_us",4]]'
	assert_json '.comparison | all(.change_low <= .change and .change <= .change_high)' true
	jq -c '.rounds[].per_second *= 1e6 | .rounds[].p50_us /= 1e6' then.json >fast.json
	cc_run bench --max --requests 300 --keys 5 --rounds 4 --baseline fast.json -o json
	assert_exit 1
	assert_stderr_line 'get.per_second: '
	assert_stderr_line '4 rounds), allowed 10 %'
	assert_json '[.comparison[] | select(.verdict == "worse" and .figure != "p99_us").figure]' '["per_second","p50_us"]'
	jq -c '.rounds[].per_second /= 1e6 | .rounds[].p50_us *= 1e6 | .rounds[].p99_us *= 1e6' then.json >slow.json
	cc_run bench --max --requests 300 --keys 5 --rounds 4 --baseline slow.json -o json -q
	assert_exit 0
	assert_json '[.comparison[].verdict] | unique' '["better"]'
	cc_run bench --baseline then.json --rounds 2 --requests 1
	assert_exit 2
	assert_stderr_line '--baseline needs --rounds 3 or more'
	jq -c '.rounds |= .[:2]' then.json >few.json
	cc_run bench --baseline few.json --requests 1
	assert_exit 2
	assert_stderr_line 'few.json: it has fewer than 3 rounds'
	cc_run bench --max --requests 20 --keys 5 --baseline then.json --max-regress 100% -o json -q
	assert_json '.comparison[0].rounds == 4 and (.rounds | length) == 5' true
	echo '{}' >no.json
	for file in no.json nowhere.json; do
		cc_run bench --max --requests 1 --keys 1 --baseline "$file"
		assert_exit 2
		assert_stderr_line "--baseline $file"
	done
	nothing_left
}

# hdr FILE: tag, count and greatest value of each histogram of the log, decoded by its published format.
hdr() {
	python3 - "$1" <<-'PY'
		import base64, struct, sys, zlib
		for line in open(sys.argv[1]):
		    if line[0] in '#"':
		        continue
		    fields = line.strip().split(',')
		    tag = fields.pop(0)[4:] if fields[0].startswith('Tag=') else '-'
		    raw = base64.b64decode(fields[3])
		    cookie, size = struct.unpack('>II', raw[:8])
		    assert cookie == 0x1c849314 and size == len(raw) - 8, (hex(cookie), size)
		    plain = zlib.decompress(raw[8:])
		    cookie, size, offset, digits, low, high, ratio = struct.unpack('>IIIIQQd', plain[:40])
		    assert (cookie, size, offset, digits, low, ratio) == (0x1c849313, len(plain) - 40, 0, 3, 1, 1.0)
		    at, index, total, last = 40, 0, 0, 0
		    while at < len(plain):
		        value = shift = 0
		        while True:
		            byte = plain[at]
		            at += 1
		            value |= (byte & (0xff if shift == 56 else 0x7f)) << shift
		            shift += 7
		            if byte < 0x80 or shift == 63:
		                break
		        value = value >> 1 ^ -(value & 1)
		        if value > 0:
		            total, last, index = total + value, index, index + 1
		        else:
		            index += -value or 1
		    bucket = max(last // 1024 - 1, 0)
		    print(tag, total, (last - bucket * 1024) << bucket)
	PY
}

@test "bench: --hdr writes a log that tools read, whole or not at all" {
	cc_run bench --max --requests 500 --keys 5 --mix get=1,set=1 --hdr times.hlog -o json -q
	assert_exit 0
	assert_equal "$(head -2 times.hlog | tail -1)" '#[Histogram log format version 1.3]'
	command -v python3 >/dev/null || skip 'no python3 here'
	local document=$output
	run hdr times.hlog
	assert_exit 0
	assert_equal "$(cut -d' ' -f1,2 <<<"$output")" "$(jq -r '"- \(.count)", (.operations[] | "\(.operation) \(.count)")' <<<"$document")"
	# the greatest value, to within a bucket
	local tag count top
	while read -r tag count top; do
		[[ $tag == - ]] && continue
		jq -e --arg op "$tag" --argjson top "$top" '.operations[] | select(.operation == $op) | .max_us * 1000 | . >= $top and . <= $top * 1.002' \
			<<<"$document" >/dev/null || fail "$tag: $top of $document"
	done <<<"$output"
	cc_run bench --max --requests 5 --keys 1 --hdr nowhere/x.hlog -q
	assert_exit 3
	assert_stderr_line '--hdr nowhere/x.hlog: No such file'
}
