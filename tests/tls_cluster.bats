#!/usr/bin/env bats
# A Redis Cluster whose nodes speak TLS alone, to clients and to each other.
load helpers
load verbs
load cluster

setup() {
	sandbox
	make_certs
	start_upstream
	api_config "$THING"
	jq '. + { redis: { cacert: $ca }, events: { "thing.gone": { "do": [ { "invalidate": "thing", "vars": { "id": "{/id}" } } ] } } }' \
		--arg ca "$DIR/certs/ca.pem" "$CALLCACHE_CONFIG" >"$DIR/tls.json"
	export CALLCACHE_CONFIG=$DIR/tls.json
}

@test "every verb on a cluster over TLS, through any of its nodes, its replicas read" {
	TLS=1 REPLICAS=1 NODE_TIMEOUT=60000 start_cluster
	export REDIS_URL=rediss://127.0.0.1:${CLUSTER_PORTS[1]}
	serve_things 60
	cc_run warm thing -o json
	assert_exit 0
	assert_no_stderr
	assert_adds_up
	assert_json '[.stored, .complete, .target]' "[60,true,\"tls://127.0.0.1:${CLUSTER_PORTS[1]}/0\"]"
	assert_equal "$(things)" 60
	cc_run get thing 7 --meta
	assert_json '[.data.id, .meta.cacheHit]' '["7",true]'
	cc_run inspect -o json
	assert_exit 0
	assert_json '[.complete, .namespaces[0].keys]' '[true,60]'
	wait_for replicas_are_announced
	cc_run inspect --replica-reads -o json
	assert_exit 0
	assert_json '[.complete, .namespaces[0].keys, .replica, (.read_from[0].node | startswith("tls://127.0.0.1:"))]' '[true,60,true,true]'
	cc_run stats -o json
	assert_exit 0
	assert_json '[.complete, .keys, (.nodes | length), (.nodes | map(.node | startswith("tls://")) | all)]' "[true,$(everything),3,true]"
	cc_run bench thing --max --requests 600 --keys 60 --clients 3 -o json -q
	assert_exit 0
	assert_json '[.count, .errors, (.nodes | length)]' '[600,0,3]'
	printf '{"event":"thing.gone","id":"%s"}\n' 1 2 3 >"$DIR/lines"
	run --separate-stderr bash -c '"$0" invalidate -o json --follow - <"$1"' "$CCACHE" "$DIR/lines"
	assert_exit 0
	assert_json '[.events, .applied, .failed]' '[3,3,0]'
	cc_run invalidate thing --all --yes -o json
	assert_exit 0
	assert_json '[.removed, .complete]' '[57,true]'
	cc_run invalidate --undo "$(jq -r .undo <<<"$output")" --yes -o json
	assert_json .restored 57
	assert_equal "$(things)" 57
	# a node's certificate is checked like the first one's
	cc_run inspect --cacert "$DIR/certs/stranger.pem"
	assert_exit 4
	assert_stderr_line 'issued by an authority that is not trusted'
	REDIS_URL=redis://127.0.0.1:${CLUSTER_PORTS[1]} cc_run inspect --timeout 2s
	assert_exit 4
	assert_stderr_line 'a TLS port needs --tls'
}
everything() {
	local i sum=0
	for i in 0 1 2; do sum=$((sum + $(node_cli "$i" DBSIZE))); done
	echo $sum
}
# Over TLS, as the program asks: newer servers tell others the ports that speak no TLS.
replicas_are_announced() { [[ $(redis-cli --tls --cacert "$DIR/certs/ca.pem" -p "${CLUSTER_PORTS[1]}" CLUSTER SLOTS | grep -cxE "${CLUSTER_PORTS[3]}|${CLUSTER_PORTS[4]}|${CLUSTER_PORTS[5]}") == 3 ]]; }
