# shellcheck shell=bash disable=SC2034,SC2154 # bats and the test files set and use these
# A cluster of three primaries with a replica each, for a whole file, whose replicas are read. Loaded behind helpers,
# verbs and cluster.

setup_file() {
	REPLICAS=1 NODE_TIMEOUT=60000 share_cluster
}
setup() {
	sandbox
	use_cluster
	start_upstream
	api_config "$THING"
}
teardown_file() { stop_cluster; }

# Hash tags of which node 0, 1 and 2 hold the keys.
TAGS=(b c a)
# fill COUNT: so many keys on each primary, and nothing else.
fill() {
	local i
	for i in 0 1 2; do
		{
			echo FLUSHALL
			echo "SET thing:{${TAGS[i]}}0 {} EX 300"
			awk -v tag="${TAGS[i]}" -v count="$1" 'BEGIN { for (i = 1; i < count; i++) print "SET thing:{" tag "}" i " {} EX 300" }'
		} | node_cli "$i" >/dev/null
	done
	replicas_follow
}
# The replica of node i is node i + 3, also when they changed their parts.
replicas_follow() {
	local i
	for i in 0 1 2; do
		gone "${CLUSTER_PIDS[i + 3]}" || wait_for caught_up "$i" $((i + 3))
	done
}
offset_of() { node_cli "$1" INFO replication | tr -d '\r' | sed -n 's/^master_repl_offset://p'; }
caught_up() { [[ $(offset_of "$1") == "$(offset_of "$2")" ]]; }
READ_FROM='[.replica, (.read_from | map([.node, .replica, .primary]) | sort)]'
# read_from NODE…: what READ_FROM gives when these were read in the places of 0, 1 and 2.
read_from() {
	local i all=true rows=
	for i in 0 1 2; do
		local at=127.0.0.1:${CLUSTER_PORTS[$1]} primary=127.0.0.1:${CLUSTER_PORTS[i]}
		if (($1 == i)); then
			all=false rows+="[\"$at\",false,null]"
		else
			rows+="[\"$at\",true,\"$primary\"]"
		fi
		shift
	done
	echo "[$all,$(jq -s -c sort <<<"$rows")]"
}
# However busy the machine is: each replica has seconds to answer before its primary is read.
inspect_replicas() { cc_run inspect --replica-reads --timeout "${TIMEOUT:-60s}" "$@"; }
