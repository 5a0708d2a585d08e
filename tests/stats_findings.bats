# What stats finds, each on a server where it is so. (Memory over its limit and a lagging replica: stats_cluster.bats.)
load helpers
load verbs
load traffic

setup() { sandbox; }

info() { rcli INFO | tr -d '\r' | sed -n "s/^$1://p"; }
is_fragmented() { awk -v ratio="$(info mem_fragmentation_ratio)" 'BEGIN { exit !(ratio >= 1.6) }'; }

@test "a server that takes more than it uses, and a namespace that holds nearly all" {
	on_redis --enable-debug-command yes
	# half of 150 MB of small values go, every other one: what they leave is no whole page
	rcli DEBUG POPULATE 250000 message 500 >/dev/null
	rcli EVAL 'for i = 0, 250000, 2 do redis.call("UNLINK", "message:" .. i) end' 0 >/dev/null
	rcli MSET call:logs:a 1 >/dev/null
	wait_for is_fragmented
	cc_run stats --scan -o json
	assert_exit 0
	assert_json '[.findings[] | [.code, .namespace]]' '[["namespace-dominates","message"],["fragmentation",null]]'
	assert_json '.findings[1].text' "the server takes $(jq -r '.fragmentation * 100 | round / 100' <<<"$output") times the memory that it uses"
	cc_run stats --scan
	assert_output --partial '! namespace-dominates: message: 100.0 % of all bytes are its; look at its TTL'
	assert_output --partial 'SET activedefrag yes'
}

@test "keys that are gone before they are read again" {
	traffic_setup
	sed -i 's/"10m", "target": { "hit_rate": 0.8 }/"1ms", "target": { "hit_rate": 0.8 }/' config.json
	in_background stats.log "$CCACHE" stats --sample 10m --max-latency 0 --max-lines 80 -o json
	local pid=$STARTED
	wait_for is_watching
	seq 80 | sed 's/^/GET call:logs:/' | rcli >/dev/null
	wait_for --for 60 gone "$pid"
	run sed '/^ccache:/d' stats.log
	assert_json '[.findings[] | [.code, .namespace, .remedy]]' \
		'[["ttl-below-reread","logs","a longer TTL, or warm what is read: a key is gone before it is read again"]]'
	assert_json '.findings[0].text | startswith("hit ratio 0.0 %, target 80.0 %; TTL 1ms, a key is read again after ")' true
}
