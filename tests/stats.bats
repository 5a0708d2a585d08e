# ccache stats: the server's figures, each namespace's keys, own counters, findings, thresholds, metrics.
load helpers
load verbs

setup() {
	sandbox
	on_redis --maxmemory 100mb --maxmemory-policy allkeys-lru
	rcli MSET call:logs:a 1 call:logs:b 2 message:1 3 stray 4 cc:m:x 5 >/dev/null
	rcli PEXPIRE call:logs:a 100000 >/dev/null
	rcli GET call:logs:a >/dev/null
	rcli GET nothing >/dev/null
	rcli GET nothing >/dev/null
}

# info FIELD: what INFO says.
info() { rcli INFO | tr -d '\r' | sed -n "s/^$1://p"; }

# server_identity: '"NAME","VERSION"' as the server's own program says: "Redis server v=7.0.15 …".
server_identity() {
	redis-server --version | sed -E 's/^(Redis|Valkey) server v=([^ ]*).*/"\L\1\E","\2"/'
}

@test "the server's figures are INFO's" {
	local hits misses
	hits=$(info keyspace_hits) misses=$(info keyspace_misses)
	cc_run stats -o json
	assert_exit 0
	assert_no_stderr
	assert_json '[.schema, .target, .server, .version, .role, .policy]' \
		"[\"ccache.stats/1\",\"unix:$REDIS_SOCKET/0\",$(server_identity),\"master\",\"allkeys-lru\"]"
	# its own lookups (counters) came after: they are not in its figures
	assert_json '[.keys, .max_memory_bytes, .hits, .misses, .expired, .evicted, .replicas]' "[5,104857600,$hits,$misses,0,0,0]"
	assert_json '.hit_ratio * 1000 | round' "$((1000 * hits / (hits + misses)))"
	assert_json '.used_memory_bytes > 500000 and .clients >= 1 and .uptime_ms >= 0' true
	assert_json '[.namespaces[].keys] | unique' '[null]'
	assert_json '[.provenance[].origin]' '["server","own counters"]'
	[[ $(rcli INFO commandstats) != *cmdstat_scan* ]] || fail 'it scanned without --scan'
	cc_run ping -o json
	assert_json '[.server, .version]' "[$(server_identity)]"
}

@test "--scan: counts, shares, own keys left out" {
	cc_run stats --scan -o json
	assert_exit 0
	assert_json '[.keys, .own_keys]' '[4,1]'
	assert_json '[.namespaces[] | select(.keys > 0) | [.namespace, .keys, .keys_share]]' \
		'[["call-logs",2,0.5],["message",1,0.25],["(unclassified)",1,0.25]]'
	assert_json '[.namespaces[].bytes_share] | add * 1000 | round' 1000
	assert_json '.namespaces[] | select(.namespace == "call-logs") | .bytes' $(($(rcli MEMORY USAGE call:logs:a) + $(rcli MEMORY USAGE call:logs:b)))
	assert_json '.namespaces[] | select(.namespace == "call-logs") | .target_hit_ratio' 0.8
	assert_json '[.provenance[].origin]' '["server","own counters","scan"]'
	cc_run stats --scan
	assert_exit 0
	[[ $output == *call-logs* && $output != *lead-greeting* ]] || fail "$output"
	[[ $output == *'keys, bytes, TTL: a scan just'* ]] || fail "$output"
}

@test "without scan, sample and counters the page says how to learn more" {
	cc_run stats
	assert_exit 0
	assert_output --partial '--sample 5s watches'
	assert_output --partial 'of 100 MiB'
	rcli CONFIG SET maxmemory 0 >/dev/null
	cc_run stats
	assert_output --partial 'no limit'
	cc_run stats -o json
	assert_json .max_memory_bytes 0
}

@test "own counters: shown, exported, reset" {
	rcli HSET cc:c:message get.hit 7 get.miss 3 set.ok 4 fetch.error 2 since_ms 1790000000000 >/dev/null
	cc_run stats -o json
	assert_json '.namespaces[] | select(.namespace == "message") | [.own_hits, .own_misses, .own_sets, .own_invalidations, .own_errors]' '[7,3,4,0,2]'
	assert_json '[.operations[] | [.operation, .result, .namespace, .count]]' \
		'[["get","hit","message",7],["get","miss","message",3],["set","ok","message",4],["fetch","error","message",2]]'
	assert_json '.provenance[] | select(.origin == "own counters") | .since_ms' 1790000000000
	cc_run stats -o prom
	assert_output --partial 'callcache_operations_total{operation="get",result="hit",namespace="message"} 7'
	cc_run stats -o prom --metric-names app
	assert_output --partial 'cache_operations_total{operation="get",result="hit",namespace="message"} 7'
	refute_output --partial callcache_operations_total
	cc_run stats --metric-names telegraf
	assert_exit 2
	cc_run stats --reset
	assert_exit 7
	assert_equal "$(rcli EXISTS cc:c:message)" 1
	cc_run stats --reset --yes
	assert_exit 0
	assert_stderr_line 'own counters of 1 namespaces are 0 again'
	assert_equal "$(rcli EXISTS cc:c:message)" 0
	cc_run stats --reset --scan
	assert_exit 2
}

@test "prom: promtool finds nothing, each metric once" {
	rcli HSET cc:c:message get.hit 7 >/dev/null
	cc_run stats --scan --sample 100ms --max-latency 0 -o prom
	assert_exit 0
	promtool check metrics <<<"$output"
	assert_output --partial 'callcache_keys{namespace="call-logs"} 2'
	assert_output --partial $'\ncallcache_server_keys 4'
	assert_equal "$(grep '^# TYPE' <<<"$output" | sort | uniq -d)" ''
	assert_equal "$(grep -v '^#' <<<"$output" | sed 's/ [^ ]*$//' | sort | uniq -d)" ''
	# labels are the configuration's namespaces alone
	assert_equal "$(grep -c 'namespace="stray"\|key=' <<<"$output")" 0
}

@test "--textfile: whole or not at all, with its time; nothing on standard output" {
	cc_run stats --scan --textfile "$DIR/callcache.prom"
	assert_exit 0
	assert_equal "$output" ''
	assert_no_stderr
	promtool check metrics <"$DIR/callcache.prom"
	assert_equal "$(find "$DIR" -maxdepth 1 -name 'callcache*')" "$DIR/callcache.prom"
	assert_equal "$(stat -c %a "$DIR/callcache.prom")" 644
	local then
	then=$(sed -n 's/^callcache_completion_timestamp_seconds \([0-9]*\).*/\1/p' "$DIR/callcache.prom")
	((then > 1700000000)) || fail "$then"
	cp "$DIR/callcache.prom" before
	stop_redis
	cc_run stats --textfile "$DIR/callcache.prom"
	assert_exit 4
	assert_equal_files before "$DIR/callcache.prom"
	cc_run stats --textfile "$DIR/none/callcache.prom"
	assert_exit 4
}

@test "--textfile where nothing can be written: exit 3, no rest left" {
	mkdir blocked.prom
	cc_run stats --textfile blocked.prom
	assert_exit 3
	assert_stderr_line blocked.prom
	assert_equal "$(find . -maxdepth 1 -name 'blocked.prom*')" ./blocked.prom
	cc_run stats --textfile none/x.prom
	assert_exit 3
	assert_stderr_line none/x.prom
	run --separate-stderr bash -c 'ulimit -f 1 && exec "$0" stats --scan --textfile long.prom 2>&1 | cat; exit "${PIPESTATUS[0]}"' "$CCACHE"
	assert_exit 3
	assert_output 'ccache: error: --textfile long.prom: File too large'
	cc_run stats --textfile /dev/full
	assert_exit 3
	assert_equal "$stderr" 'ccache: error: --textfile /dev/full: No space left on device'
	assert_equal "$(find . -maxdepth 1 -name 'long*')" ''
}

@test "--textfile: a link stays one, a FIFO and a device are written to" {
	mkdir there
	echo old >there/metrics.prom
	ln -s there/metrics.prom link.prom
	ln -s nowhere lost.prom
	mkfifo pipe
	cc_run stats --textfile link.prom
	assert_exit 0
	[[ -L link.prom ]]
	grep -q '^callcache_complete 1' there/metrics.prom
	cc_run stats --textfile lost.prom
	assert_exit 3
	assert_stderr_line '--textfile lost.prom: a link to what is not there'
	cc_run stats --textfile /dev/stdout
	assert_exit 0
	assert_output --partial 'callcache_complete 1'
	in_background read cat pipe
	cc_run stats --textfile pipe
	assert_exit 0
	wait_for gone "$STARTED"
	grep -q '^callcache_complete 1' read
	"$CCACHE" stats --textfile pipe 2>err 3>&- 4>&- &
	local pid=$! code=0
	PIDS+=("$pid")
	catches() { (($((16#$(sed -n 's/^SigCgt:\s*//p' "/proc/$pid/status"))) & 2)); }
	wait_for catches
	kill -INT "$pid" # before it waits or while it does
	wait_for gone "$pid"
	wait "$pid" || code=$?
	assert_equal "$code" 130
	assert_equal "$(find . -maxdepth 2 -name '*prom*' | sort | tr '\n' ' ')" './link.prom ./lost.prom ./there/metrics.prom '
}

scraped() { curl -fsS "http://127.0.0.1:$PROMETHEUS_PORT/api/v1/query?query=callcache_keys" | jq -e '.data.result | length > 0'; }
prometheus_is_up() { curl -fsS "http://127.0.0.1:$PROMETHEUS_PORT/-/ready"; }

@test "a real Prometheus scrapes the textfile" {
	mkdir -p nginx/www
	cc_run stats --scan --textfile nginx/www/metrics
	assert_exit 0
	start_nginx 'default_type text/plain;'
	printf '%s\n' 'global: { scrape_interval: 1s }' 'scrape_configs:' '  - job_name: cache' '    static_configs:' \
		"      - targets: ['127.0.0.1:$NGINX_PORT']" >prometheus.yml
	start_on_port PROMETHEUS_PORT prometheus.log prometheus_is_up prometheus --config.file=prometheus.yml \
		--storage.tsdb.path="$DIR/tsdb" --web.listen-address=127.0.0.1:@PORT@
	wait_for --for 60 scraped
	run curl -fsS "http://127.0.0.1:$PROMETHEUS_PORT/api/v1/query?query=callcache_keys"
	assert_json '[.data.result[] | select(.metric.namespace == "call-logs") | .value[1]]' '["2"]'
}

@test "--fail-if: the grammar, over the fields of the JSON" {
	local holds fails
	for holds in 'keys > 0' 'keys>=4 and keys<=5' 'used_memory_bytes > 64KiB' "role == 'master'" 'not keys<1' \
		'evicted>0 or clients>=1' '(evicted>0 or clients>=1) && keys != 0' 'ns.call-logs.keys = 2' \
		'ns.call-logs.target_hit_ratio == 80%' '!(keys<1)' 'ns.(unclassified).keys==1' 'uptime_ms < 1000d'; do
		cc_run stats --scan -q --fail-if "$holds"
		[[ $status == 1 ]] || fail "'$holds' should hold: $status $stderr"
	done
	for fails in 'keys < 0' 'keys > 3 and keys < 3' 'role != "master"' 'evicted>0' '-1 > keys'; do
		cc_run stats --scan --fail-if "$fails" -o json
		[[ $status == 0 && ! $stderr ]] || fail "'$fails' should not hold: $status $stderr"
	done
	cc_run stats --fail-if 'keys > 0'
	assert_exit 1
	assert_stderr_line "--fail-if 'keys > 0' holds"
	cc_run stats --fail-if 'keys < 0' --fail-if 'clients > 0' -q
	assert_exit 1
}

@test "--fail-if: what is not known does not pass, what is not there is named" {
	cc_run stats --fail-if 'ns.message.hit_ratio < 0.5'
	assert_exit 1
	assert_stderr_line 'not known: ns.message.hit_ratio'
	cc_run stats --fail-if 'hit_rate < 0.5'
	assert_exit 2
	assert_stderr_line "there is no field 'hit_rate'; did you mean 'hit_ratio'?"
	cc_run stats --fail-if 'ns.mesage.keys < 1'
	assert_exit 2
	assert_stderr_line "there is no namespace 'mesage'; did you mean 'message'?"
	cc_run stats --fail-if 'ns.message.kees < 1'
	assert_exit 2
	assert_stderr_line "did you mean 'keys'?"
	local text
	for text in '' 'keys' 'keys <' 'keys ~ 3' '(keys < 3' 'keys < 3 4' "role == 'x" 'ns.message < 1' 'keys < 3q'; do
		cc_run stats --fail-if "$text"
		[[ $status == 2 && $stderr == *"--fail-if"* ]] || fail "'$text': $status $stderr"
		assert_equal "$output" ''
	done
	cc_run stats -q --fail-if 'keys < "x"'
	assert_exit 2
	assert_stderr_line 'a text and a number do not compare'
}

@test "findings: no TTL and evictions, unclassified keys, big values, a full memory" {
	cc_run stats --scan -o json
	assert_json '[.findings[].code]' '["keys-without-namespace"]'
	assert_json '.findings[0].text' '1 of 4 keys belong to no namespace'
	rcli SETRANGE message:big 2000000 x >/dev/null
	rcli CONFIG SET maxmemory "$(($(info used_memory) + 150000))" >/dev/null
	cc_run stats --scan -o json
	assert_json '[.findings[] | .code + ":" + (.namespace // "")] | sort' \
		'["big-values-uncompressed:message","keys-without-namespace:","memory-near-limit:"]'
	# more than fits: what is evicted shows, with who holds keys for ever
	local i
	for i in 1 2 3 4; do rcli SETRANGE "message:more$i" 1500000 x >/dev/null; done
	cc_run stats --scan -o json
	assert_json '[.findings[] | select(.code == "evictions-no-ttl")] | length > 0' true
	cc_run stats
	assert_output --partial '! evictions: '
	cc_run stats -o json
	assert_json '.findings_count == (.findings | length)' true
}

@test "a user without INFO, SLOWLOG, MEMORY, MONITOR, CONFIG: fewer figures, each named" {
	rcli ACL SETUSER eye on '>pw' '~*' +@connection +scan +pttl +type +dbsize +hgetall >/dev/null
	export REDIS_USERNAME=eye REDIS_PASSWORD=pw
	cc_run stats --scan --sample 100ms -o json
	assert_exit 0
	assert_json '[.keys, .version, .hits, .hit_ratio, .used_memory_bytes]' '[4,null,null,null,null]'
	assert_json '[.namespaces[] | select(.namespace == "call-logs") | .keys, .bytes, .bytes_share]' '[2,null,null]'
	assert_json '[.denied[].command]' '["INFO","SLOWLOG","MEMORY USAGE","MONITOR","CONFIG GET"]'
	assert_json '[.sample_end, .sample_lines]' '["denied",null]'
	local name
	for name in INFO SLOWLOG "MEMORY USAGE" MONITOR "CONFIG GET"; do assert_stderr_line "this user may not run $name"; done
	cc_run stats --sample 100ms --check
	assert_exit 4
	# MONITOR, but neither CONFIG nor the channels of notifications
	rcli CONFIG SET notify-keyspace-events Ex >/dev/null
	rcli ACL SETUSER eye +monitor resetchannels >/dev/null
	cc_run stats --sample 100ms --max-latency 0 -o json
	assert_json '[.denied[].command] - ["INFO","SLOWLOG"]' '["CONFIG GET"]'
	rcli ACL SETUSER eye +config +subscribe >/dev/null
	cc_run stats --sample 100ms --max-latency 0 -o json
	assert_json '[.denied[].command] - ["INFO","SLOWLOG"]' '["SUBSCRIBE to __keyevent@*"]'
	assert_json '[.namespaces[].expired_per_second] | unique' '[null]'
	rcli ACL SETUSER eye allchannels >/dev/null
	cc_run stats --sample 100ms --max-latency 0 -o json
	assert_json '[.denied[].command] - ["INFO","SLOWLOG"]' '[]'
	assert_json '[.namespaces[].expired_per_second] | unique' '[0]'
	rcli ACL SETUSER eye -hgetall -monitor >/dev/null
	cc_run stats
	assert_exit 0
	assert_stderr_line 'HGETALL of cc:c:*: no own counters'
	[[ $output != *Memory* ]] || fail "$output"
	rcli ACL SETUSER eye -scan >/dev/null
	cc_run stats --scan
	assert_exit 4
	assert_stderr_line SCAN
}

@test "REDIS_ENABLED=false and no Redis: exit 4" {
	REDIS_ENABLED=false cc_run stats
	assert_exit 4
	stop_redis
	cc_run stats
	assert_exit 4
	assert_stderr_line "$REDIS_SOCKET"
	assert_equal "$output" ''
}

@test "at a prompt whose server went away: told at once, however long the timeout" {
	mkfifo typed
	in_background repl.log bash -c "exec '$CCACHE' repl --timeout 1000m <typed"
	local pid=$STARTED code=0
	exec 8>typed
	echo 'stats -o json' >&8
	wait_for grep -q completed_ms repl.log
	stop_redis
	echo 'stats -o json' >&8
	wait_for gone "$pid"
	wait "$pid" || code=$?
	exec 8>&-
	assert_equal "$code" 4
	run cat repl.log
	assert_output --partial "redis unix:$REDIS_SOCKET/0: no such socket"
}

@test "options that exclude each other" {
	cc_run stats --check
	assert_exit 2
	assert_stderr_line '--sample 5s'
	cc_run stats --watch 1s --fail-if 'keys>1'
	assert_exit 2
	cc_run stats --watch 1s --textfile x
	assert_exit 2
	cc_run stats --watch 1ms
	assert_exit 2
	cc_run stats --sample 1ms
	assert_exit 2
}

@test "--watch without a terminal shows the page once" {
	cc_run stats --watch 100ms
	assert_exit 0
	assert_output --partial 'Keys     5 (any cc:* included)'
	assert_equal "$(grep -c '^Memory' <<<"$output")" 1
	[[ $output != *$'\e'* ]] || fail "$output"
}

@test "slow commands and control bytes of keys" {
	rcli CONFIG SET slowlog-log-slower-than 0 >/dev/null
	rcli SET $'evil\e[2Jkey' x >/dev/null
	rcli CONFIG SET slowlog-log-slower-than 1000000 >/dev/null
	cc_run stats -o json
	assert_json '[.slowlog[].command] | any(. == "SET evil\u001b[2Jkey x")' true
	cc_run stats
	[[ $output != *$'\e'* ]] || fail "$output"
}
