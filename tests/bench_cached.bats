# ccache bench: what a cache saves, what guards against stampedes, kept loads, TLS.
load helpers
load verbs

setup() {
	sandbox
	on_redis
}

nothing_left() { assert_equal "$(rcli --scan --pattern 'cc:bench:*')" ''; }

@test "bench: --source tells what a hit saves, and leaves nothing" {
	start_upstream
	use_upstream
	cc_run bench call-logs --source --requests 4 -o json -q
	assert_exit 0
	assert_json '[.schema, .namespace, .ids, .failed, .hit_ratio, .calls_avoided]' '["ccache.bench-source/1","call-logs",4,0,0.8,0.8]'
	assert_json '[.paths[] | [.path, .count]]' '[["source",4],["miss",4],["hit",40]]'
	assert_json '.paths | (.[1].mean_us > .[0].mean_us) and .[2].mean_us > 0' true
	assert_json '(.before_us / .after_us - .times_faster) | fabs < 0.001' true
	assert_equal "$(rcli DBSIZE)" 0
	fault status code=503 path=/api/calls/507f1f77bcf86cd799439011/logs
	echo 507f1f77bcf86cd799439011 >ids
	cc_run bench call-logs --source --ids ids -o json -q
	assert_exit 5
	assert_equal "$(rcli DBSIZE)" 0
	cc_run bench --source
	assert_exit 2
	cc_run bench analytics-daily --source
	assert_exit 2
	assert_stderr_line 'has no source'
	cc_run bench call-logs --source --max
	assert_exit 2
	assert_stderr_line 'measures something else'
}

@test "bench: --stampede: a lock lets one reader a key to the source" {
	cc_run bench --stampede 30 --source-latency 20ms --size 10 -o json -q
	assert_exit 0
	assert_json '[.clients, .keys, .source_latency_ms, .ttl_ms]' '[30,10,20,100]'
	assert_json '[.guards[].guard]' '["none","lock","jitter","early"]'
	assert_json '.guards | all(.at_once_per_key <= .at_once and .at_once <= .source_calls)' true
	assert_json '.guards[] | select(.guard == "lock").at_once_per_key <= 1' true
	assert_json '.guards[] | select(.guard == "none") | .misses == .source_calls' true
	nothing_left
	cc_run bench --stampede 5 --source
	assert_exit 2
}

@test "bench: presets of the five systems, and what is given beside wins" {
	local preset
	for preset in call-logs conversations dashboard sessions messages; do
		cc_run bench --preset "$preset" --max --requests 200 --keys 20 -o json -q
		assert_exit 0
		assert_json '[.count, .errors]' '[200,0]'
	done
	assert_json '[.operations[].namespace] | unique' '["message"]'
	cc_run bench lead --preset messages --mix get=1 --max --requests 20 --keys 3 -o json -q
	assert_exit 0
	assert_json '[.operations[] | [.namespace, .operation]]' '[["lead","get"]]'
	nothing_left
}

@test "bench: a job is saved, edited and run again" {
	cc_run bench message --rate 700 --mix get=1,set=1 --keys 7 --size 10-20 --seed 5 --save-job job.json --dry-run
	assert_exit 0
	assert_equal "$(jq -c '[.schema, .namespaces, .rate, .mix, .keys, .size, .seed]' job.json)" \
		'["ccache.bench-job/1",["message"],700,"get=1,set=1",7,"10-20",5]'
	sed -i 's/"rate": 700,/"rate": 900, \/\/ more/' job.json
	cc_run bench --job job.json --requests 40 -o json -q
	assert_exit 0
	assert_json '[.count, .offered_per_second, .operations[0].namespace]' '[40,900,"message"]'
	cc_run bench --job job.json --dry-run
	assert_stderr_line '900/s'
	cc_run bench --job job.json --keys 10000 --size 1KiB --clients 50 --dry-run
	assert_stderr_line 'message (10,000 keys, 1 KiB); open loop, 900/s, 50 clients'
	local text want
	while IFS='|' read -r text want; do
		printf '%s' "$text" >bad.json
		cc_run bench --job bad.json --requests 1
		assert_exit 2
		assert_stderr_line "$want"
	done <<-'CASES'
		{"rate":0}|--rate
		{"rat":[1]}|'rat'
		{"speed":1}|bad.json
		{|bad.json:1:
		[]|no JSON object
	CASES
	cc_run bench --job none.json
	assert_exit 2
	cc_run bench --job job.json --preset messages
	assert_exit 2
	cc_run bench --save-job nowhere/job.json --dry-run
	assert_exit 3
}

@test "bench: over TLS, deep and with large values" {
	make_certs
	unset REDIS_URL
	TLS=1 REDIS_NAME=tls start_redis
	cc_run --tls --cacert "$DIR/certs/ca.pem" -p "$REDIS_TLS_PORT" bench --max --requests 3000 --pipeline 16 --clients 5 --keys 20 \
		--size 1-200KiB --mix get=1,set=1 -o json -q
	assert_exit 0
	assert_json '[.count, .errors, .hit_ratio]' '[3000,0,1]'
	cc_run --tls --cacert "$DIR/certs/ca.pem" -p "$REDIS_TLS_PORT" bench --rate 500 --requests 100 --verify --size 40-50KiB --keys 60 \
		--mix get=1,set=1 -o json -q
	assert_exit 0
	assert_json '[.count, .errors, .wrong]' '[100,0,0]'
}
