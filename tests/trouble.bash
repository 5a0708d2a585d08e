# shellcheck shell=bash disable=SC2034,SC2154,SC2016 # bats and the test files set and use these
# A cluster in trouble while every verb runs, all at once. Each run has a namespace of its own, whose name is the
# run's, and is held (link/gate.py) at the door of the victim, node 0, with a chosen command in its hand, until the
# node is hurt. Loaded behind helpers and verbs.

# name|the command at the victim that is held|words: NAME, ID of a key that the victim holds, FILE of the run's own,
# STREAM that the victim holds. "watch" runs on a terminal.
RUNS=(
	'get|GET|get NAME ID --meta'
	'warm|EVALSHA:2|warm NAME --if always -o json'
	'existing|SCAN:2|warm NAME --existing -o json'
	'bulk|SET:2|warm --from FILE -o json'
	'overview|SCAN:2|inspect -o json'
	'list|SCAN:2|inspect NAME -o json'
	'key|GETRANGE|inspect NAME ID -o json'
	'audit|SCAN:2|inspect NAME --audit -o json'
	'ttl|SCAN:2|inspect NAME --ttl -o json'
	'sample|SCAN:2|inspect --sample 100 -o json'
	'plan|SCAN:2|invalidate NAME --all --yes --backup FILE -o json'
	'save|DUMP|invalidate NAME --all --yes --backup FILE -o json'
	'take|EVALSHA|invalidate NAME --all --yes --backup FILE -o json'
	'soft|EVALSHA|invalidate NAME --all --yes --backup FILE --soft --in 20m -o json'
	'unlink|UNLINK|invalidate NAME --all --yes --no-backup -o json'
	'one|EVALSHA|invalidate NAME ID --yes -o json'
	'event|EVALSHA|invalidate --event NAME.gone --data @FILE --yes -o json'
	'follow|UNLINK|invalidate --follow - -o json'
	'stream|UNLINK|invalidate --follow stream:STREAM --claim-after 1ms -o json'
	'undo|RESTORE|invalidate --undo FILE --yes -o json'
	'stats|INFO|stats -o json'
	'watch|INFO:2|stats --watch 100ms'
	'scan|SCAN:2|stats --scan -o json'
	'traffic|MONITOR|stats --sample 1s --max-latency 0 -o json'
	'bench|GET:3|bench NAME --max --requests 200 --clients 2 --keys 50 -o json'
	'repl|PTTL|repl -e "ttl NAME ID"'
	'discover|SCAN:2|config discover'
)
STREAM='events:{b}'
IDS=24 # keys of each run's namespace; the source has as many of "get", "warm" and "existing"

# in_trouble: the cluster (REPLICAS=1: with replicas), its keys, their source, and every run held. The seed is node 1.
in_trouble() {
	before_trouble
	start_gate
	start_runs
}
before_trouble() {
	sandbox
	NODE_TIMEOUT=60000 start_cluster
	start_upstream
	export REDIS_URL=redis://127.0.0.1:${CLUSTER_PORTS[1]}
	VICTIM=127.0.0.1:${CLUSTER_PORTS[0]}
	local row name spaces='' events=''
	NAMES=()
	for row in "${RUNS[@]}"; do
		name=${row%%|*}
		NAMES+=("$name")
		spaces+="${spaces:+,}\"$name\": { \"key\": \"$name:{id}\", \"ttl\": \"50m\", \"source\": { \"use\": \"api\", \"get\": \"/$name/{id}\" },
			\"list\": { \"use\": \"api\", \"get\": \"/$name?after={cursor}\", \"items\": \"/data\", \"vars\": { \"id\": \"/id\" }, \"next\": \"/next\" } }"
		events+="${events:+,}\"$name.gone\": { \"do\": [ { \"invalidate\": \"$name\", \"vars\": { \"id\": \"{/id}\" } } ] }"
	done
	api_config "$spaces }, \"events\": { $events"
	serve_versions get warm existing
	fill_versions
	local id
	for ((id = 1; id <= IDS; id++)); do
		echo "XADD $STREAM * event stream.gone id $id"
	done | node_cli 0 >/dev/null
	mkfifo "$DIR/input.watch"
	exec {KEYS}<>"$DIR/input.watch"
	for ((id = 1; id <= IDS; id++)); do
		echo "{\"event\":\"follow.gone\",\"id\":\"$id\"}" >&3
		echo "{\"ns\":\"bulk\",\"vars\":{\"id\":\"$id\"},\"value\":{\"k\":\"bulk:$id\",\"v\":1}}" >&4
	done 3>"$DIR/input.follow" 4>"$DIR/file.bulk"
	echo "{\"id\":\"$(id_at event)\"}" >"$DIR/file.event"
	"$CCACHE" invalidate undo --all --yes --backup "$DIR/file.undo" -q --timeout 60s >/dev/null
}
# What the source has: each key's own name, in version 1.
serve_versions() {
	local name id list
	for name; do
		list=
		for ((id = 1; id <= IDS; id++)); do
			printf '%s\nurl = "%s/_data/%s/%d"\ndata-raw = "{\\"k\\":\\"%s:%d\\",\\"v\\":1}"\n' \
				"${list:+next}" "$UPSTREAM_URL" "$name" "$id" "$name" "$id"
			printf 'silent\nfail\noutput = /dev/null\nrequest = PUT\nheader = "Content-Type: application/json"\n'
			list+="${list:+,}{\"id\":\"$id\"}"
		done >"$DIR/put"
		curl -K "$DIR/put"
		set_data "/$name" "{\"data\":[$list],\"next\":null}"
	done
}
# What is there before: version 0; and so many other keys that a walk is held in its middle.
fill_versions() {
	local name id tag
	for name in "${NAMES[@]}"; do
		for ((id = 1; id <= IDS; id++)); do echo "SET $name:$id {\\\"k\\\":\\\"$name:$id\\\",\\\"v\\\":0} EX 3000"; done
	done | sed 's/ {/ "{/; s/} /}" /' | redis-cli -c -p "${CLUSTER_PORTS[1]}" >/dev/null
	for tag in a b c d e f; do
		node_cli "$(home_of "$(node_cli 0 CLUSTER KEYSLOT "$tag")")" \
			EVAL "for i = 1, 2000 do redis.call('SET', 'pad:' .. i .. ':{$tag}', '') end" 0 >/dev/null
	done
}
# How many of the run's keys the victim does not hold.
elsewhere() {
	local id count=0
	for ((id = 1; id <= IDS; id++)); do
		(($(home_of "$(node_cli 1 CLUSTER KEYSLOT "$1:$id")"))) && ((++count))
	done
	echo "$count"
}
# The first id whose key the victim holds.
id_at() {
	local id
	for ((id = 1; id <= IDS; id++)); do
		(($(home_of "$(node_cli 1 CLUSTER KEYSLOT "$1:$id")"))) || break
	done
	echo "$id"
}

start_gate() {
	local row name command rules=()
	for row in "${RUNS[@]}"; do
		IFS='|' read -r name command _ <<<"$row"
		rules+=("$name=$command")
	done
	start_on_port GATE_PORT gate.log gate_is_up python3 "$ROOT/tests/link/gate.py" "$DIR" @PORT@ "${CLUSTER_PORTS[${GATE_AT:-0}]}" "${rules[@]}"
}
gate_is_up() { grep -q '^listening' "$DIR/gate.log"; }

start_runs() {
	local row name words input argv on
	declare -gA RUN_PIDS=()
	for row in "${RUNS[@]}"; do
		IFS='|' read -r name _ words <<<"$row"
		words=${words//NAME/$name} words=${words//ID/$(id_at "$name")} words=${words//FILE/$DIR/file.$name} words=${words//STREAM/$STREAM}
		input=/dev/null
		[[ -e $DIR/input.$name ]] && input=$DIR/input.$name
		eval "argv=($words)"
		on=()
		[[ $name != watch ]] || on=(env TERM=xterm python3 -c 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))')
		"${on[@]}" "$CCACHE" --proxy "http://$name:x@127.0.0.1:$GATE_PORT" --timeout "${TIMEOUT:-60s}" "${argv[@]}" \
			>"$DIR/$name.out" 2>"$DIR/$name.err" <"$input" 3>&- 4>&- &
		RUN_PIDS[$name]=$!
		PIDS+=($!)
	done
	for name in "${NAMES[@]}"; do
		wait_for held_or_over "$name"
		[[ -e $DIR/held.$name ]] || fail "$name was never held: $(cat "$DIR/$name.out" "$DIR/$name.err")"
	done
}
held_or_over() { [[ -e $DIR/held.$1 ]] || gone "${RUN_PIDS[$1]}"; }
# What the runs hold goes in.
let_go() { touch "$DIR/open"; }
# end_run NAME: its exit code, output and standard error in $status, $output and $stderr.
end_run() {
	name=$1
	wait_for gone "${RUN_PIDS[$name]}" || { echo "$name hangs: $(tail "$DIR/$name.err")"; return 1; }
	status=0
	wait "${RUN_PIDS[$name]}" || status=$?
	output=$(<"$DIR/$name.out") stderr=$(<"$DIR/$name.err")
	[[ $name != watch ]] || stderr=$output
}

# look_at NODE…: what these nodes hold now, a line "NAME ID VERSION TTL" each; a value that is not its key's is "wrong".
look_at() {
	local node
	for node; do
		node_cli "$node" EVAL "
			local out = {}
			for _, key in ipairs(redis.call('KEYS', '*')) do
				local name, id = string.match(key, '^(%l+):(%d+)\$')
				if name then
					local value = redis.call('GET', key)
					local version = string.match(value, '^{\"k\":\"' .. key .. '\",\"v\":([01])}\$')
					out[#out + 1] = name .. ' ' .. id .. ' ' .. (version or 'wrong') .. ' ' .. redis.call('PTTL', key)
				end
			end
			return out" 0
	done >"$DIR/there"
	if grep ' wrong ' "$DIR/there"; then fail 'values under wrong keys'; fi
}
# there NAME [VERSION]: how many of the run's keys look_at saw.
there() { grep -c "^$1 [0-9]* ${2:-.} " "$DIR/there" || true; }

# check_runs: what every run said, against EXITS and what look_at saw; of LOST keys nothing is known.
check_runs() {
	local name bad=0
	for name in "${NAMES[@]}"; do
		end_run "$name" && check_run "$name" || bad=1
	done
	((!bad))
}
check_run() {
	local name=$1 expected=${EXITS[$1]:-4}
	[[ $status == "$expected" ]] || { echo "$name: expected exit $expected; got:"; dump; return 1; }
	((!status || status == 143)) || [[ $stderr == *"$VICTIM"* ]] || { echo "$name: the node is not named"; dump; return 1; }
	check_report "$name" || { echo "$name: that is not true; there are now $(there "$name") keys, $(there "$name" 1) of them new; it said:"; dump; return 1; }
}
# What is there is what the report counts: what may have been done or not is among the failed.
check_report() {
	local all new short
	all=$(there "$1") new=$(there "$1" 1)
	case $1 in
	get) [[ $output == *"{\"k\":\"get:"* ]] && is_untouched "$1" ;;
	warm | existing | bulk)
		assert_adds_up || return 1
		assert_json ".stored <= $new + ${LOST:-0} and $new <= .stored + .failed and (.complete or $((status)) > 0)" true || return 1
		((all >= IDS - ${LOST:-0}))
		;;
	plan | save | take | unlink | one)
		if [[ $output ]]; then assert_adds_up && drops_are_true "$all"; else is_untouched "$1"; fi
		;;
	soft)
		short=$(awk '$1 == "soft" && $4 <= 1200000' "$DIR/there" | wc -l)
		assert_adds_up || return 1
		assert_json ".shortened <= $short + ${LOST:-0} and $short <= .shortened + .failed" true && is_untouched "$1"
		;;
	event) # its one step is done, or pending: asked for, and not answered
		assert_json "if .keys == 1 then .steps[0].outcome == \"removed\" and $all == $((IDS - 1))
			else .steps[0].outcome == \"pending\" and $all >= $((IDS - 1 - ${LOST:-0})) end" true
		;;
	follow)
		assert_json '.events == 24 and .events == .applied + .unfinished and .failed == 0 and .complete == (.unfinished == 0)' true || return 1
		((status == 0)) || [[ $stderr == *'events have no outcome yet, the first is line '* ]] || return 1
		# what went before the fault counts, also where it was done again afterwards
		assert_json '(.complete | not) or .keys >= '"$(elsewhere follow)" true
		;;
	stream) # it ends when it is told to
		assert_json '.events == .applied + .unfinished and .failed == 0 and (.complete | not)' true || return 1
		[[ ${LOST:-} ]] || { ((all == 0)) && assert_json ".applied >= $IDS and .unfinished == 0" true; }
		;;
	undo)
		assert_adds_up || return 1
		assert_json ".restored <= $all + ${LOST:-0} and $all <= .restored + .failed" true
		;;
	overview | list | audit | ttl | sample | stats | scan | traffic)
		is_untouched "$1" || return 1
		[[ $1 == list ]] || assert_json .complete "$( ((status)) && echo false || echo true)"
		;;
	bench) assert_json '.errors > 0 and .partial' true && is_untouched "$1" ;;
	discover) [[ ! $output ]] && is_untouched "$1" ;;
	*) is_untouched "$1" ;;
	esac
}
drops_are_true() { assert_json "($1 <= $IDS - .removed) and ($1 >= $IDS - .removed - .failed - ${LOST:-0})" true; }
is_untouched() { (($(there "$1" 0) >= IDS - ${LOST:-0})); }

# check_repeats NODE…: with the cluster whole again, a second run does what failed, and what was taken comes back.
check_repeats() {
	local name node
	for node; do # one whose holder could not reach the node ends with its TTL
		node_cli "$node" EVAL "for _, key in ipairs(redis.call('KEYS', 'cc:l:*')) do redis.call('DEL', key) end" 0 >/dev/null
	done
	cc_run warm existing --existing -o json
	assert_json '[.failed, .complete]' '[0,true]'
	cc_run warm --from "$DIR/file.bulk" -o json
	assert_json '[.stored + .renewed, .complete]' "[$IDS,true]"
	cc_run invalidate unlink --all --yes --no-backup
	assert_exit 0
	cc_run invalidate --undo "$DIR/file.undo" --yes -o json
	assert_json '.restored + .kept' "$IDS"
	for name in save take soft; do
		[[ -e $DIR/file.$name ]] || continue
		cc_run invalidate --undo "$DIR/file.$name" --yes -o json
		assert_exit 0
		assert_json .failed 0
	done
	look_at "$@"
	assert_equal "$(there existing 1) $(there bulk 1) $(there unlink) $(there undo 0) $(there save 0) $(there take 0)" "$IDS $IDS 0 $IDS $IDS $IDS"
	assert_equal "$(awk '$1 == "soft" && $4 > 1200000' "$DIR/there" | wc -l)" "$IDS"
}

# Each run that ends by itself has ended; with a node that is out of reach, one that follows waits until it is back.
are_over() {
	local name
	for name in "${NAMES[@]}"; do
		[[ " watch stream $* " == *" $name "* ]] || gone "${RUN_PIDS[$name]}" || return 1
	done
}
waits() { grep -q 'trying again until it is back' "$DIR/$1.err"; }
# The page says what it lacks; it ends with Ctrl-C.
end_watch() {
	wait_for --for 40 watch_tells || { tail -c 3000 "$DIR/watch.out" | cat -v; return 1; }
	printf '\003' >&"$KEYS"
	wait_for gone "${RUN_PIDS[watch]}"
}
watch_tells() { grep -qa '! redis' "$DIR/watch.out"; }
# end_stream NODE: which holds it now, and all that was in it was done.
end_stream() {
	wait_for stream_is_done "$1"
	kill -TERM "${RUN_PIDS[stream]}"
	wait_for gone "${RUN_PIDS[stream]}"
}
stream_is_done() {
	local node
	for node in "${!CLUSTER_PIDS[@]}"; do
		gone "${CLUSTER_PIDS[node]}" || [[ ! $(node_cli "$node" KEYS 'stream:*') ]] || return 1
	done
	[[ $(node_cli "$1" XPENDING "$STREAM" callcache | head -1) == 0 ]]
}
