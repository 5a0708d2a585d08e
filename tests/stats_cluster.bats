# ccache stats on a Redis Cluster: each primary's row and their sum, and no hole that is called success.
load helpers
load verbs
load traffic

setup() {
	sandbox
	traffic_config
}

# Hash tags of which node 0, 1 and 2 hold the keys.
TAGS=(b c a)
everywhere() { redis-cli -c -p "${CLUSTER_PORTS[0]}" "$@"; }
# on_each COMMAND…: run with REDIS_SOCKET of each primary.
on_each() {
	local i
	for i in 0 1 2; do
		REDIS_SOCKET=${CLUSTER_SOCKETS[i]} NODE=$i "$@" || return 1
	done
}
start_app_there() {
	start_app "${TAGS[NODE]}"
	APPS+=("$APP_PID")
}
# info FIELD NODE
info() { node_cli "$2" INFO | tr -d '\r' | sed -n "s/^$1://p"; }
sum_of() { echo $(($(info "$1" 0) + $(info "$1" 1) + $(info "$1" 2))); }
lags() { [[ $(info slave0 0) =~ lag=([0-9]+) ]] && ((BASH_REMATCH[1] >= 10)); }

@test "figures of each primary and their sum, own counters where their slots are, a replica that lags" {
	REPLICAS=1 NODE_TIMEOUT=60000 start_cluster
	# a replica of a primary stands still from here on
	local i
	for i in 3 4 5; do
		if [[ $(info master_port "$i") == "${CLUSTER_PORTS[0]}" ]]; then kill -STOP "${CLUSTER_PIDS[i]}"; fi
	done
	export REDIS_URL=redis://127.0.0.1:${CLUSTER_PORTS[1]}
	for i in 0 1 2; do
		node_cli "$i" MSET "message:{${TAGS[i]}}1" x "message:{${TAGS[i]}}2" y >/dev/null
		node_cli "$i" GET "message:{${TAGS[i]}}1" >/dev/null
	done
	everywhere SET "thread:{${TAGS[1]}}1" z >/dev/null
	everywhere HSET cc:c:logs get.hit 7 >/dev/null
	everywhere HSET cc:c:message get.miss 5 >/dev/null
	everywhere HSET cc:c:thread set.ok 3 since_ms 1790000000000 >/dev/null
	everywhere HSET cc:c:conv set.ok 2 >/dev/null

	local hits
	hits=$(sum_of keyspace_hits)
	cc_run stats -o json
	assert_exit 0
	assert_no_stderr
	assert_json '[.complete, .role, .keys, .hits, .replicas]' "[true,\"master\",11,$hits,3]"
	assert_json '[.nodes[] | [.node, .reachable, .error]] | sort' \
		"$(for i in 0 1 2; do echo "[\"127.0.0.1:${CLUSTER_PORTS[i]}\",true,null]"; done | jq -s -c sort)"
	assert_json '(.nodes | map(.keys) | add) == .keys and (.nodes | map(.hits) | add) == .hits and (.nodes | map(.used_memory_bytes) | add) == .used_memory_bytes
		and (.nodes | map(.clients) | add) == .clients' true
	assert_json '[.namespaces[] | [.own_hits, .own_misses, .own_sets]]' '[[7,0,0],[0,5,0],[0,0,3],[0,0,2],[0,0,0]]'

	cc_run stats --scan -o prom
	assert_exit 0
	promtool check metrics <<<"$output"
	assert_output --partial 'callcache_keys{namespace="message"} 6'
	assert_output --partial "callcache_node_up{node=\"127.0.0.1:${CLUSTER_PORTS[2]}\"} 1"
	assert_output --partial 'callcache_complete 1'
	cc_run stats --scan
	assert_exit 0
	assert_output --partial ', 3 primaries'
	assert_output --partial 'top: the sum of the primaries'
	for i in 0 1 2; do assert_output --partial "127.0.0.1:${CLUSTER_PORTS[i]}"; done

	cc_run stats --reset --yes
	assert_exit 0
	assert_stderr_line 'own counters of 4 namespaces are 0 again'
	assert_equal "$(node_cli 0 DBSIZE)+$(node_cli 1 DBSIZE)+$(node_cli 2 DBSIZE)" 2+3+2

	# findings of a server name it
	node_cli 2 CONFIG SET maxmemory 1mb maxmemory-policy noeviction >/dev/null
	wait_for lags
	cc_run stats -o json
	assert_json '[.findings[] | [.code, .node]]' "[[\"memory-over-limit\",\"127.0.0.1:${CLUSTER_PORTS[2]}\"],[\"replica-lag\",\"127.0.0.1:${CLUSTER_PORTS[0]}\"]]"
	assert_json .max_memory_bytes 0
	cc_run stats
	assert_output --partial "! replica-lag: 127.0.0.1:${CLUSTER_PORTS[0]}: a replica has heard nothing of its primary"
}

@test "--sample on every primary at once; then a primary that is down is named, and what it holds is not called 0" {
	NODE_TIMEOUT=60000 start_cluster
	export REDIS_URL=redis://127.0.0.1:${CLUSTER_PORTS[0]}
	APPS=()
	on_each start_app_there
	LINES_WANTED=3000 sample -o json
	assert_exit 0
	# three applications starve the readers on a small machine: what they miss widens the interval (to the point:
	# traffic.bats)
	assert_json "[.namespaces[] | select(.hit_ratio) | .hit_ratio_low <= $TRUTH[.namespace] and .hit_ratio_high >= $TRUTH[.namespace]]" '[true,true,true,true]'
	assert_json '[.nodes[] | [.sample_end, .sample_lines >= 3000]] | unique' '[["lines",true]]'
	assert_json '.sample_lines == (.nodes | map(.sample_lines) | add)' true
	assert_json '[.namespaces[] | select(.hit_ratio) | .sampled_reads == .sampled_hits + .sampled_misses + .ambiguous + .uncertain] | all' true
	assert_json '.sample_server_hit_ratio - 0.6875 | fabs < 0.02' true
	assert_json '[.top_keys[] | select(.namespace == "conv" and (.key | endswith("}there0")))] | length' 3
	on_each wait_for nobody_watches
	local pid
	for pid in "${APPS[@]}"; do stop "$pid"; done

	everywhere HSET cc:c:logs get.hit 7 >/dev/null
	local i down='' up=()
	for i in 0 1 2; do
		if [[ $(node_cli "$i" --scan --pattern cc:c:logs) ]]; then down=$i; else up+=("$i"); fi
	done
	export REDIS_URL=redis://127.0.0.1:${CLUSTER_PORTS[up[0]]}
	stop "${CLUSTER_PIDS[down]}"
	cc_run stats --sample 200ms --max-latency 0 --timeout 1s -o json
	assert_exit 4
	assert_stderr_line "127.0.0.1:${CLUSTER_PORTS[down]}"
	assert_json '[.complete, (.nodes | map(select(.reachable | not)) | map([.node, .keys])), (.nodes | map(select(.reachable)) | length)]' \
		"[false,[[\"127.0.0.1:${CLUSTER_PORTS[down]}\",null]],2]"
	assert_json '.namespaces[] | select(.namespace == "logs") | .own_hits' null
	assert_json .keys "$(($(node_cli "${up[0]}" DBSIZE) + $(node_cli "${up[1]}" DBSIZE)))"
	cc_run stats --textfile metrics.prom --timeout 1s
	assert_exit 4
	run cat metrics.prom
	assert_output --partial "callcache_node_up{node=\"127.0.0.1:${CLUSTER_PORTS[down]}\"} 0"
	assert_output --partial 'callcache_complete 0'
	cc_run stats --timeout 1s
	assert_exit 4
	assert_output --partial '1 OUT OF REACH'
	assert_output --partial "! 127.0.0.1:${CLUSTER_PORTS[down]} is out of reach"
	assert_output --partial 'PARTIAL'
}
