# ccache stats --sample: hit ratios from the traffic of applications whose truth is known, and what a sample may cost.
load helpers
load verbs
load traffic

setup() { traffic_setup; }

@test "ratios of 5, 50, 80 and 95 % within a point of the truth" {
	start_app
	LINES_WANTED=20000 sample -o json
	assert_exit 0
	stop "$APP_PID"
	assert_equal "$(cat app.log)" ''
	
	assert_json "[.namespaces[] | select(.hit_ratio) | .hit_ratio - $TRUTH[.namespace] | fabs < 0.01]" '[true,true,true,true]'
	assert_json "[.namespaces[] | select(.hit_ratio) | .hit_ratio_low <= $TRUTH[.namespace] and .hit_ratio_high >= $TRUTH[.namespace]]" '[true,true,true,true]'
	assert_json '[.sample_end, .sample_lines >= 20000, .sample_probes > 0]' '["lines",true,true]'
	# every read is accounted for, the ambiguous ones apart
	assert_json '[.namespaces[] | select(.hit_ratio) | .sampled_reads == .sampled_hits + .sampled_misses + .ambiguous + .uncertain] | all' true
	# the server's own counters of the same time, our questions taken off, say the same of the whole
	assert_json '.sample_server_hit_ratio - 0.6875 | fabs < 0.02' true
	assert_json '[.top_keys[] | select(.namespace == "conv")][0] | .key' conv:there0
	assert_json '[.top_commands[] | select(.namespace == "logs") | .command] | sort' '["GET","SET"]'
	assert_json '[.namespaces[] | select(.namespace == "message") | .writes_per_second, .read_bytes_per_second > 0]' '[0,true]'
	assert_stderr_line 'the limit of lines was reached'
}

@test "--check: a missed target is exit 1, a met one is not" {
	start_app
	sample --check -q
	assert_exit 1
	sample --check
	assert_stderr_line 'logs: hit ratio 5'
	refute_stderr_line 'message: hit ratio'
	sed -i 's/0\.8/0.01/' config.json
	sample --check
	assert_exit 0
	sample --fail-if 'ns.message.hit_ratio < 45%' -q
	assert_exit 0
	sample --fail-if 'ns.message.hit_ratio > 45%' -q
	assert_exit 1
}

@test "the page names findings, clients and where figures come from" {
	start_app
	sample --top 2
	assert_exit 0
	assert_output --partial '! hit-ratio-under-target: logs: hit ratio 5'
	assert_output --partial 'sampled for'
	assert_output --partial 'of lines was reached'
	assert_output --partial "unix:$REDIS_SOCKET"
	assert_regex "$output" 'NAMESPACE +READS +HIT RATIO +95 % +TARGET +WRITES'
}

@test "limits of bytes and of time end a sample, too" {
	start_app
	cc_run stats --sample 10m --max-latency 0 --max-bytes 64KiB -o json
	assert_exit 0
	assert_json '[.sample_end, .sample_bytes >= 65536, (.sample_bytes < 50000000)]' '["bytes",true,true]'
	cc_run stats --sample 300ms --max-latency 0 -o json
	assert_json '[.sample_end, .sample_interval_ms >= 300]' '["whole",true]'
	assert_no_stderr
	wait_for nobody_watches
}

@test "keys that live for a moment: expiries are heard where notifications are on" {
	rcli CONFIG SET notify-keyspace-events Ex hz 100 >/dev/null
	in_background stats.log "$CCACHE" stats --sample 10m --max-latency 0 --max-lines 8000 -o json
	local pid=$STARTED
	wait_for is_watching
	wait_for subscribed
	local i
	for i in $(seq 40); do echo "SET logs:x$i v PX 1"; echo "SET call:logs:$i v PX 1"; done | rcli >/dev/null
	wait_for expired_all
	start_app
	wait_for --for 60 gone "$pid"
	run jq -c '.namespaces[] | select(.namespace == "logs") | .expired_per_second > 0' <<<"$(grep -v '^ccache:' stats.log)"
	assert_output true
}
subscribed() { rcli PUBSUB CHANNELS | grep -q 'keyevent@0__:expired'; }
expired_all() { (($(rcli DBSIZE) == 0)); }

@test "a user without MONITOR, and one without a way to look keys up" {
	rcli ACL SETUSER eye on '>pw' '~*' +@all -monitor >/dev/null
	export REDIS_USERNAME=eye REDIS_PASSWORD=pw
	cc_run stats --sample 10m
	assert_exit 0
	assert_stderr_line 'may not run MONITOR: no sample of the traffic'
	rcli ACL SETUSER eye +monitor -pexpiretime -pttl >/dev/null
	rcli MSET conv:there1 x >/dev/null
	start_app
	LINES_WANTED=8000 sample -o json
	assert_json '.namespaces[] | select(.namespace == "message") | .hit_ratio - 0.5 | fabs < 0.02' true
	rcli ACL SETUSER eye -exists >/dev/null
	cc_run stats --sample 10m
	assert_exit 0
	assert_stderr_line 'may not run MONITOR'
}
