# ccache stats: the server's own figures, and what each namespace takes.
load helpers
load verbs

setup() {
	sandbox
	start_redis --maxmemory 100mb --maxmemory-policy allkeys-lru
	export REDIS_URL=unix://$REDIS_SOCKET
	rcli MSET call:logs:a 1 call:logs:b 2 message:1 3 stray 4 cc:m:x 5 >/dev/null
	rcli PEXPIRE call:logs:a 100000 >/dev/null
	rcli GET call:logs:a >/dev/null
	rcli GET nothing >/dev/null
	rcli GET nothing >/dev/null
}

# info FIELD: what INFO says.
info() { rcli INFO | tr -d '\r' | sed -n "s/^$1://p"; }

@test "the server's figures are INFO's" {
	cc_run stats -o json --no-scan
	assert_exit 0
	assert_no_stderr
	assert_json '[.schema, .target, .version, .role, .policy]' \
		"[\"ccache.stats/1\",\"unix:$REDIS_SOCKET/0\",\"$(info redis_version)\",\"master\",\"allkeys-lru\"]"
	assert_json '[.keys, .max_memory_bytes, .hits, .misses, .expired, .evicted, .replicas]' "[5,104857600,$(info keyspace_hits),$(info keyspace_misses),0,0,0]"
	assert_json '.hit_ratio * 1000 | round' "$((1000 * $(info keyspace_hits) / ($(info keyspace_hits) + $(info keyspace_misses))))"
	assert_json '.used_memory_bytes > 500000 and .clients >= 1 and .uptime_ms >= 0' true
	assert_json 'has("namespaces")' false
}

@test "namespaces: counts, shares, own keys left out" {
	cc_run stats -o json
	assert_exit 0
	assert_json '[.namespaces[] | select(.keys > 0) | [.namespace, .keys, .keys_share]]' \
		'[["call-logs",2,0.5],["message",1,0.25],["(unclassified)",1,0.25]]'
	assert_json '[.namespaces[].bytes_share] | add * 1000 | round' 1000
	assert_json '.namespaces[] | select(.namespace == "call-logs") | .bytes' $(($(rcli MEMORY USAGE call:logs:a) + $(rcli MEMORY USAGE call:logs:b)))
	assert_json '.namespaces[] | select(.namespace == "call-logs") | .target_hit_ratio' 0.8
	cc_run stats
	assert_exit 0
	[[ $output == *call-logs* && $output != *lead-greeting* ]] || fail "$output"
}

@test "prom: every line in the format, each metric once" {
	cc_run stats -o prom
	assert_exit 0
	[[ $output == *'callcache_keys{namespace="call-logs"} 2'* ]] || fail "$output"
	[[ $output == *$'\ncallcache_server_keys 4'* ]] || fail "$output"
	if grep -vE '^# (HELP|TYPE) [a-z_]+ .+$|^[a-z_]+(\{[a-z_]+="[^"\\]*"\})? -?[0-9.e+]+$' <<<"$output"; then
		fail 'not Prometheus text'
	fi
	assert_equal "$(grep '^# TYPE' <<<"$output" | sort | uniq -d)" ''
	assert_equal "$(grep -v '^#' <<<"$output" | sed 's/ .*//' | sort | uniq -d)" ''
}

@test "a user without INFO and MEMORY: fewer figures, said so" {
	rcli ACL SETUSER eye on '>pw' '~*' +@connection +scan +pttl +dbsize >/dev/null
	export REDIS_USERNAME=eye REDIS_PASSWORD=pw
	cc_run stats -o json
	assert_exit 0
	assert_stderr_line INFO
	assert_json '[.keys, .version, .hits, .hit_ratio, .used_memory_bytes]' '[4,null,null,null,null]'
	assert_json '[.namespaces[] | select(.namespace == "call-logs") | .keys, .bytes, .bytes_share]' '[2,null,null]'
	assert_stderr_line 'MEMORY USAGE'
	cc_run stats
	assert_exit 0
	[[ $output != *Version* ]] || fail "$output"
	rcli ACL SETUSER eye -scan >/dev/null
	cc_run stats
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

@test "no memory limit is none for people, 0 for programs" {
	cc_run stats --no-scan
	assert_regex "$output" 'Memory limit +100 MiB'
	rcli CONFIG SET maxmemory 0 >/dev/null
	cc_run stats --no-scan
	assert_regex "$output" 'Memory limit +none'
	cc_run stats --no-scan -o json
	assert_json .max_memory_bytes 0
}
