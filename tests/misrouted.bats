#!/usr/bin/env bats
# A cluster that sends every verb from node to node, or puts it off, for ever: an end, the slot or node by name, nothing
# done and nothing claimed.

load helpers
load verbs
load cluster
load trouble

IDS=6
# Those that ask for keys of their own.
RUNS=(
	'get|GET|get NAME ID --meta'
	'warm|EVALSHA|warm NAME --if always -o json'
	'bulk|SET|warm --from FILE -o json'
	'key|GETRANGE|inspect NAME ID -o json'
	'audit|SCAN:2|inspect NAME --audit -o json'
	'take|EVALSHA|invalidate NAME --all --yes --backup FILE -o json'
	'unlink|UNLINK|invalidate NAME --all --yes --no-backup -o json'
	'one|EVALSHA|invalidate NAME ID --yes -o json'
	'event|EVALSHA|invalidate --event NAME.gone --data @FILE --yes -o json'
	'follow|UNLINK|invalidate --follow - -o json'
	'undo|RESTORE|invalidate --undo FILE --yes -o json'
	'repl|PTTL|repl -e "ttl NAME ID"'
)

# answered: every run is told ANSWERS of its own keys, from a chosen command on; its exit code is that of EXITS, else 4.
# follow goes on until it is told to end.
answered() {
	local name node bad=0
	for node in 0 1 2; do # a lease that a run of before could not give back ends with its TTL
		node_cli "$node" EVAL "for _, key in ipairs(redis.call('KEYS', 'cc:l:*')) do redis.call('DEL', key) end" 0 >/dev/null
	done
	for name in "${NAMES[@]}"; do
		echo "${ANSWERS[$name]:-${ANSWERS[all]}}" >"$DIR/answer.$name"
	done
	rm -f "$DIR"/held.*
	start_gate
	start_runs
	wait_for are_over follow
	wait_for waits follow || { cat "$DIR/follow.err"; return 1; }
	kill -TERM "${RUN_PIDS[follow]}"
	for name in "${NAMES[@]}"; do
		end_run "$name"
		said_and_true || { echo "$name, told $(<"$DIR/answer.$name"), expected exit ${EXITS[$name]:-4}; got:"; dump; bad=1; }
	done
	((!bad))
}
said_and_true() {
	local code
	read -r code _ <"$DIR/answer.$name"
	[[ $status == "${EXITS[$name]:-4}" && $stderr == *"$code"* && $stderr == *'redis 127.0.0.1:'* ]] && claims_nothing
}
# Nothing of the run's was done; a key that is only read is not called missing.
claims_nothing() {
	case $name in
	get) [[ $output == *'{"k":"get:'* ]] ;;
	warm | bulk) assert_adds_up && assert_json '.failed > 0' true ;;
	take | unlink | one) assert_adds_up && assert_json '[.removed, .gone]' '[0,0]' ;;
	event) assert_json .keys 0 ;;
	follow) assert_json '[.events, .applied, .failed, .unfinished, .keys]' "[$IDS,0,0,$IDS,0]" ;;
	undo) assert_adds_up && assert_json '[.restored, .failed]' "[0,$IDS]" ;;
	audit) assert_json .complete false ;;
	*) [[ ! $output ]] ;;
	esac
}

@test "MOVED, ASK, CLUSTERDOWN and TRYAGAIN for ever, while every verb runs" {
	local name
	TIMEOUT=5s
	before_trouble
	let_go # nobody waits at the gate
	declare -A EXITS=([get]=0 [follow]=143 [warm]=3 [bulk]=3 [take]=3 [unlink]=3 [one]=3 [undo]=3 [event]=3)
	declare -A ANSWERS=([all]="MOVED ${CLUSTER_PORTS[1]}")
	answered || touch "$DIR/bad"
	ANSWERS=([all]="ASK ${CLUSTER_PORTS[1]}")
	answered || touch "$DIR/bad"
	local down='CLUSTERDOWN The cluster is down'
	EXITS[warm]=4
	ANSWERS=([all]='TRYAGAIN Multiple keys request during rehashing of slot' [warm]=$down [unlink]=$down [one]=$down [follow]=$down [repl]=$down)
	answered || touch "$DIR/bad"
	look_at 0 1 2
	for name in take unlink one event follow undo; do
		assert_equal "$name $(there "$name" 0)" "$name $([[ $name == undo ]] && echo 0 || echo "$IDS")"
	done
	[[ ! -e $DIR/bad ]]
}
