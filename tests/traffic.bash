# shellcheck shell=bash disable=SC2034,SC2154 # bats and the test files set and use these
# What the tests of stats --sample share; they load it behind helpers and verbs.

# Four namespaces, those of the applications in traffic/app.py.
traffic_config() {
	cat >"$DIR/config.json" <<-'JSON'
		{ "namespaces": {
		  "logs": { "key": "call:logs:{id}", "ttl": "10m", "target": { "hit_rate": 0.8 } },
		  "message": { "key": "message:{id}", "ttl": "5m", "target": { "hit_rate": 0.4 } },
		  "thread": { "key": "thread:{id}", "ttl": "5m" },
		  "conv": { "key": "conv:{id}", "ttl": "5m" } } }
	JSON
	export CALLCACHE_CONFIG=$DIR/config.json
}
TRUTH='{"logs":0.05,"message":0.5,"thread":0.95,"conv":0.8}'

# A server and that configuration.
traffic_setup() {
	sandbox
	start_redis
	export REDIS_URL=unix://$REDIS_SOCKET
	traffic_config
}

# start_app [TAG]: the applications of traffic/app.py on REDIS_SOCKET, running and past their first reads.
start_app() {
	in_background "app${1:-}.log" python3 "$ROOT/tests/traffic/app.py" "$REDIS_SOCKET" "$@"
	APP_PID=$STARTED
	wait_for app_runs
}
app_runs() { [[ $(rcli INFO commandstats) == *cmdstat_mget* ]]; }

# A sample that ends after so many commands however long they take, whatever the machine does meanwhile.
sample() { cc_run stats --sample 10m --max-lines "${LINES_WANTED:-8000}" --max-latency 0 "$@"; }

monitors() { rcli CLIENT LIST | grep -c ' flags=O' || true; }
is_watching() { (($(monitors) == 1)); }
nobody_watches() { (($(monitors) == 0)); }
# The process that reads MONITOR: the child of stats.
reader_of() { pgrep -P "$1"; }

info_memory() { rcli INFO memory | tr -d '\r' | sed -n "s/^$1://p"; }
# write_nuls [N]: values of a megabyte of NUL bytes, each of which MONITOR shows in four megabytes.
write_nuls() {
	head -c 1000000 /dev/zero >nuls
	local i
	for ((i = 0; i < ${1:-24}; i++)); do
		rcli -x SET big <nuls >/dev/null
	done
}
assert_server_is_small() {
	local used
	used=$(info_memory used_memory_peak)
	((used < 40000000)) || fail "the server took $used bytes"
}
