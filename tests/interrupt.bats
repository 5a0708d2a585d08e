# Ctrl-C, SIGTERM and a terminal that goes away: every verb, held in the middle by a server that is silent, ends soon,
# with counts that are true, an undo file that works and the documented code; a second one ends it at once.
load helpers
load verbs

# run|the command that is held, see link/gate.py|words: NAME is the run's, whose namespace has that name, too
RUNS=(
	'get|GET|get NAME 1 --meta'
	'warm|EVALSHA:2|warm NAME --if always -o json'
	'existing|SCAN:2|warm NAME --existing -o json'
	'bulk|SET:2|warm --from FILE -o json'
	'overview|SCAN:2|inspect -o json'
	'list|SCAN:2|inspect NAME -o json'
	'key|GETRANGE|inspect NAME 1 -o json'
	'audit|SCAN:2|inspect NAME --audit -o json'
	'drift|SCAN:2|inspect NAME --drift 10 -o json'
	'sample|SCAN:2|inspect --sample 100 -o json'
	'plan|SCAN:2|invalidate NAME --all --yes --backup FILE -o json'
	'save|DUMP|invalidate NAME --all --yes --backup FILE -o json'
	'take|EXEC|invalidate NAME --all --yes --backup FILE -o json'
	'soft|EXEC|invalidate NAME --all --yes --backup FILE --soft --in 60s -o json'
	'unlink|UNLINK|invalidate NAME --all --yes --no-backup -o json'
	'event|EXEC|invalidate --event NAME.gone --data @FILE --yes -o json'
	'follow|UNLINK|invalidate --follow - -o json'
	'stream|UNLINK|invalidate --follow stream:events -o json'
	'undo|RESTORE|invalidate --undo FILE --yes -o json'
	'stats|INFO|stats -o json'
	'scan|SCAN:2|stats --scan -o json'
	'textfile|SCAN:2|stats --scan --textfile FILE'
	'traffic|MONITOR|stats --sample 60s --max-latency 0 -o json'
	'fill|SET:3|bench NAME --max --requests 200 --clients 2 --keys 50 --yes -o json'
	'bench|GET:3|bench NAME --max --requests 200 --clients 2 --keys 50 --yes -o json'
	'clean|UNLINK|bench NAME --max --requests 200 --clients 2 --keys 50 --yes -o json'
	'repl|PTTL|repl -e "ttl NAME 1; ping"'
	'discover|SCAN:2|config discover'
	'mute|SCAN:2|inspect mute --drift 10 -o json'
)
KEYS=5 # of each run

# The server, the source, the runs' namespaces with their keys, and what they read.
in_the_middle() {
	sandbox
	TCP=1 start_redis
	start_upstream
	local row name id spaces='' events=''
	for row in "${RUNS[@]}"; do
		name=${row%%|*}
		spaces+="${spaces:+,}\"$name\": { \"key\": \"$name:{id}\", \"ttl\": \"50m\", \"source\": { \"use\": \"api\", \"get\": \"/things/{id}\" },
			\"list\": { \"use\": \"api\", \"get\": \"/things?after={cursor}\", \"items\": \"/data\", \"vars\": { \"id\": \"/id\" }, \"next\": \"/next\" } }"
		events+="${events:+,}\"$name.gone\": { \"do\": [ { \"invalidate\": \"$name\", \"vars\": { \"id\": \"{/id}\" } } ] }"
		for ((id = 1; id <= KEYS; id++)); do echo "SET $name:$id \"{\\\"id\\\":\\\"0\\\"}\" EX 3000"; done
	done >fill
	api_config "$spaces }, \"events\": { $events"
	serve_things "$KEYS"
	for ((id = 1; id <= KEYS; id++)); do
		echo "XADD events * event stream.gone id $id"
		echo "{\"event\":\"follow.gone\",\"id\":\"$id\"}" >&3
		echo "{\"ns\":\"bulk\",\"vars\":{\"id\":\"$id\"},\"value\":{\"id\":\"$id\"}}" >&4
	done 3>input.follow 4>file.bulk >>fill
	echo '{"id":"1"}' >file.event
	rcli <fill >/dev/null
	rcli EVAL "for i = 1, 3000 do redis.call('SET', 'pad:' .. i, '') end" 0 >/dev/null
	export REDIS_URL=redis://127.0.0.1:$REDIS_TCP_PORT
	"$CCACHE" invalidate undo --all --yes --backup "$DIR/file.undo" -q
}
# Each run, held at its command.
start_runs() {
	local row name command words input argv rules=()
	declare -gA RUN_PIDS=()
	for row in "${RUNS[@]}"; do
		IFS='|' read -r name command _ <<<"$row"
		rules+=("$name=$command")
	done
	rm -f held.* mute.err
	mkfifo mute.err # which is full, and nobody reads it
	exec 8<>mute.err
	dd if=/dev/zero of=mute.err bs=4096 count=1000 oflag=nonblock conv=notrunc status=none 2>/dev/null || true
	start_on_port GATE_PORT gate.log gate_is_up python3 "$ROOT/tests/link/gate.py" "$DIR" @PORT@ "$REDIS_TCP_PORT" "${rules[@]}"
	GATE_PID=$STARTED
	for row in "${RUNS[@]}"; do
		IFS='|' read -r name _ words <<<"$row"
		words=${words//NAME/$name} words=${words//FILE/$DIR/file.$name}
		input=/dev/null
		[[ ! -e input.$name ]] || input=input.$name
		eval "argv=($words)"
		"$CCACHE" --proxy "http://$name:x@127.0.0.1:$GATE_PORT" --timeout 600s "${argv[@]}" >"$name.out" 2>"$name.err" <"$input" 3>&- 4>&- 8>&- &
		RUN_PIDS[$name]=$!
		PIDS+=($!)
	done
	for row in "${RUNS[@]}"; do
		name=${row%%|*}
		wait_for held_or_over "$name"
		[[ -e held.$name ]] || fail "$name was never held: $(cat "$name.out"; [[ -p $name.err ]] || cat "$name.err")"
	done
}
gate_is_up() { grep -q '^listening' "$DIR/gate.log"; }
held_or_over() { [[ -e held.$1 ]] || gone "${RUN_PIDS[$1]}"; }
end_run() {
	wait_for gone "${RUN_PIDS[$1]}" || { echo "$1 hangs"; return 1; }
	status=0
	wait "${RUN_PIDS[$1]}" || status=$?
	output=$(<"$1.out") stderr=''
	[[ $1 == mute ]] || stderr=$(<"$1.err")
}
# What is held does not reach the server any more.
stop_gate() {
	kill -KILL "$GATE_PID"
	wait "$GATE_PID" || true
}

# A complete report that adds up, of a run that did nothing of what it was held at.
check_report() {
	case $1 in
	warm) assert_adds_up && assert_json '[.complete, .stopped_by, .stored <= 1, .requested]' "[false,\"interrupted\",true,$KEYS]" ;;
	existing | bulk) assert_adds_up && assert_json '[.complete, .stopped_by, .stored]' '[false,"interrupted",0]' ;;
	save | take | soft | unlink) assert_adds_up && assert_json '[.complete, .requested, .failed]' "[false,$KEYS,$KEYS]" ;;
	undo) assert_adds_up && assert_json '[.complete, .changes, .failed]' "[false,$KEYS,$KEYS]" ;;
	event) assert_json '[.keys, .steps[0].outcome]' '[0,"pending"]' ;;
	follow | stream) assert_json '[.complete, .applied, .unfinished, .events]' "[false,0,$KEYS,$KEYS]" ;;
	mute) assert_json .complete false ;;
	overview | list | audit | drift | sample | scan | traffic) assert_json .complete false && assert_stderr_line interrupted ;;
	bench) assert_json .partial true && assert_stderr_line 'the next bench on this server removes them' ;;
	fill | clean) assert_stderr_line 'the next bench on this server removes them' ;;
	textfile) [[ ! $output && ! -e file.textfile ]] && assert_stderr_line 'interrupted: --textfile' ;;
	get | key | plan | stats | repl | discover) [[ ! $output ]] || { dump; return 1; } ;;
	esac
}
# Nothing is gone that was not before, no file is half there, and what was saved comes back.
check_rest() {
	local name file
	assert_equal "$(rcli EVAL "return #redis.call('KEYS', 'pad:*')" 0)" 3000
	for name in save take soft unlink event follow stream warm existing bulk get list clean; do
		assert_equal "$name: $(key_count "$name:*")" "$name: $KEYS"
	done
	for file in *; do
		[[ $file != *.@(new|tmp) && $file != file.textfile?* ]] || fail "$file is left"
	done
	for name in take soft undo; do
		cc_run invalidate --undo "$DIR/file.$name" --salvage --yes -o json
		assert_exit 0
		assert_json '[.failed, .damaged]' '[0,0]'
	done
	assert_equal "$(key_count 'undo:*')" "$KEYS"
	cc_run bench take --max --requests 20 --clients 2 --keys 5 --yes
	assert_exit 0
	assert_stderr_line 'killed runs had left'
	assert_equal "$(rcli --scan --pattern 'cc:bench:*')" ''
}

@test "once, while Redis is silent: every verb ends, says what it did, and leaves nothing half-done" {
	in_the_middle
	start_runs
	local row name number=0 bad=0
	for row in "${RUNS[@]}"; do
		local signals=(INT TERM HUP)
		kill -"${signals[number++ % 3]}" "${RUN_PIDS[${row%%|*}]}"
	done
	number=0
	for row in "${RUNS[@]}"; do
		name=${row%%|*}
		local codes=(130 143 129)
		end_run "$name" && assert_exit "${codes[number++ % 3]}" && check_report "$name" || { echo "that was $name"; bad=1; }
	done
	((!bad))
	stop_gate
	check_rest
}

@test "twice, while Redis is silent: it is gone, and the undo files can be read" {
	in_the_middle
	start_runs
	local row name bad=0
	interrupted_again() { gone "$1" || { kill -INT "$1" && false; }; }
	for row in "${RUNS[@]}"; do kill -INT "${RUN_PIDS[${row%%|*}]}"; done
	for row in "${RUNS[@]}"; do
		name=${row%%|*}
		wait_for interrupted_again "${RUN_PIDS[$name]}"
		end_run "$name" && assert_exit 130 || { echo "that was $name"; bad=1; }
	done
	((!bad))
	stop_gate
	check_rest
}

# held_at_source WORDS…: the run, in $PID, which waits for thing 1 of the source.
held_at_source() {
	local before
	before=$(upstream_count /things/1)
	fault hold path=/things/1
	"$CCACHE" "$@" >out 2>err </dev/null 3>&- 4>&- &
	PID=$!
	PIDS+=("$PID")
	asked() { (($(upstream_count /things/1) > before)); }
	wait_for asked
}
over() {
	wait_for gone "$PID"
	status=0
	wait "$PID" || status=$?
	output=$(<out) stderr=$(<err)
	no_faults
}

@test "once, while a source is silent: leases are given back, the bench's keys removed" {
	two_things
	serve_things 2
	local words
	for words in 'get thing 1 --refresh' 'warm thing --if always -o json' 'inspect thing --drift 2 -o json' 'bench thing --source --yes -o json' \
		'invalidate thing --all --yes --rewarm -o json'; do
		"$CCACHE" warm thing 1 2 --if always -q
		eval "held_at_source $words"
		kill -TERM "$PID"
		over
		assert_exit 143
		assert_equal "$words: $(rcli --scan --pattern 'cc:[lb]*')" "$words: "
		case $words in
		warm* | inval*) assert_adds_up && assert_stderr_line interrupted ;;
		bench*) assert_stderr_line 'removing the run' ;;
		esac
	done
}

@test "timeout(1) sends its signal twice at once: that is one" {
	two_things
	serve_things 2
	held_at_source warm thing -o json
	kill -STOP "$PID"
	wait_for stands_still "$PID"
	kill -INT "$PID"
	kill -TERM "$PID"
	kill -CONT "$PID"
	over
	assert_exit 130
	assert_adds_up
	assert_json .stopped_by interrupted
}

stands_still() { [[ $(<"/proc/$1/stat") == *') T '* ]]; }

@test "nohup: the terminal may go away" {
	two_things
	serve_things 2
	CCACHE=env held_at_source --ignore-signal=HUP "$CCACHE" warm thing -o json
	(($((16#$(sed -n 's/^SigIgn:\s*//p' "/proc/$PID/status"))) & 1))
	kill -TERM "$PID"
	over
	assert_exit 143
}

@test "--askpass: Ctrl-C and SIGQUIT's key leave a terminal that echoes" {
	sandbox
	local key
	for key in 'C-c 130' 'C-\ 131'; do
		start_terminal 80 24 "trap : INT QUIT; ulimit -c 0; '$CCACHE' --askpass ping; echo code=\$?; stty -a"
		wait_for screen_shows 'Redis password:'
		type_keys "${key% *}"
		wait_for screen_shows "code=${key#* }"
		wait_for screen_shows ' echo '
	done
}

# What a shell shows that stopped a job, and takes up again with Enter.
stopped_then_fg() { echo "echo stopped=\$(jobs -p); stty -a | grep -wo -- '-*echo' | sed 's/^/with/'; read -r _; fg; echo code=\$?; stty -a | grep -wo -- '-*echo' | sed 's/^/then/'"; }
job() { screen | sed -n 's/.*stopped=//p'; }

@test "--askpass: stopped, interrupted there, gone on with; and started in the background" {
	sandbox
	start_terminal 80 40 "set -m; trap : INT; '$CCACHE' --askpass ping; $(stopped_then_fg)"
	wait_for screen_shows 'Redis password:'
	type_keys C-z
	wait_for screen_shows withecho
	kill -INT "$(job)"
	type_keys Enter
	wait_for screen_shows 'code=130'
	wait_for screen_shows thenecho
	# bash -c starts its jobs with SIGTTOU ignored
	start_terminal 80 40 "set -m; trap : INT; env --default-signal=TTOU '$CCACHE' --askpass ping & until grep -q '^State:.T' /proc/\$!/status; do sleep 0.02; done; $(stopped_then_fg)"
	wait_for screen_shows withecho
	[[ $(screen) != *password* ]]
	type_keys Enter
	wait_for screen_shows 'Redis password:'
	type_keys C-c
	wait_for screen_shows 'code=130'
	wait_for screen_shows thenecho
}
