# ccache warm: where ids come from, what is stored, what the report says.
load helpers
load verbs

setup() {
	sandbox
	start_system --items 7 --page 3
}

@test "ids on the command line" {
	warm call-logs $SUB
	assert_exit 0
	assert_json '[.namespaces[0].namespace, .requested, .stored, .namespaces[0].source_requests]' '["call-logs",1,1,2]'
	assert_json .target "unix:$REDIS_SOCKET/0"
	assert_json ".bytes" "$(value_of call:logs:$SUB | wc -c)"
	warm call-logs $SUB subaccountId=nobody
	assert_exit 3
	assert_json '[.requested, .renewed, .absent]' '[2,1,1]'
	assert_stderr_line "call-logs 'call:logs:nobody': the source has nothing there (404)"
}

@test "a namespace with several vars takes them in groups, or by name" {
	api_config '"pair": { "key": "pair:{a}:{b}", "ttl": "5m", "source": { "use": "api", "get": "/pairs/{a}/{b}" } }'
	for pair in 1/2 3/4; do set_data "/pairs/$pair" "\"$pair\""; done
	warm pair 1 2 3 4
	assert_exit 0
	assert_equal "$(keys_now | paste -sd' ')" 'pair:1:2 pair:3:4'
	rcli FLUSHALL >/dev/null
	warm pair b=2 a=1
	assert_equal "$(keys_now)" pair:1:2
	for bad in '1 2 3' 1 'a=1 a=2' 'a= b=1'; do
		# shellcheck disable=SC2086 # words are meant
		cc_run warm pair $bad
		assert_exit 2
	done
	assert_equal "$(key_count)" 1
}

@test "--ids: tabs, JSON lines, comments, CRLF, blank lines, no line end at the end" {
	api_config '"pair": { "key": "pair:{a}:{b}", "ttl": "5m", "source": { "use": "api", "get": "/pairs/{a}/{b}" } }'
	for pair in 1/2 3/4 5/6 7/8; do set_data "/pairs/$pair" "\"$pair\""; done
	printf '# a comment\n\n1\t2\r\n{"b":"4","a":3,"more":[{}]}\n\r\nb=6\ta=5\n7\t8' >"$DIR/ids"
	warm pair --ids "$DIR/ids"
	assert_exit 0
	assert_json '[.requested, .stored]' '[4,4]'
	assert_equal "$(keys_now | paste -sd' ')" 'pair:1:2 pair:3:4 pair:5:6 pair:7:8'
	rcli FLUSHALL >/dev/null
	run --separate-stderr "$CCACHE" warm -o json pair --ids - <"$DIR/ids"
	assert_adds_up
	assert_json '[.requested, .stored]' '[4,4]'
}

@test "--ids: a bad line is counted and named, the others go on" {
	serve_things 2
	api_config "$THING"
	printf '1\n{"id":\n{"id":null}\n{"id":["2"]}\n{"other":1}\n{"id":"2"} x\n%s\n2\n' ".." >"$DIR/ids"
	warm thing --ids "$DIR/ids"
	assert_exit 3
	assert_json '[.requested, .stored, .failed, .failed_ids]' '[8,2,6,6]'
	for line in 2 3 4 6; do assert_stderr_line "$DIR/ids:$line: "; done
	assert_stderr_line 'id is missing'
	cc_run warm thing --ids "$DIR/ids" # people see the cause by its name, too
	[[ $output == *'failed_ids  6'* ]] || fail "$output"
}

@test "--ids: a directory, a missing file, a binary file, an empty one" {
	serve_things 1
	api_config "$THING"
	for path in "$DIR" "$DIR/nothing"; do
		cc_run warm thing --ids "$path"
		assert_exit 2
		assert_stderr_line "$path"
	done
	head -c 20000 "$CCACHE" >"$DIR/binary"
	printf '\n1\n' >>"$DIR/binary"
	warm thing --ids "$DIR/binary"
	assert_exit 3
	assert_json '[.stored, .requested > 5]' '[1,true]'
	assert_equal "$(key_count)" 1
	[[ $stderr != *[$'\001'-$'\010\016'-$'\037']* ]] || fail "control bytes on standard error"
	warm thing --ids /dev/null
	assert_exit 0
	assert_json .requested 0
	cc_run warm thing 1 --ids /dev/null
	assert_exit 2
	cc_run warm dashboard-summary --profile realtime --ids /dev/null
	assert_exit 2
}

@test "--ids -: what a slow writer has sent is stored before it ends, and Ctrl-C ends it" {
	serve_things 2
	api_config "$THING"
	mkfifo "$DIR/pipe"
	env --default-signal=INT "$CCACHE" warm -o json thing --ids - <"$DIR/pipe" >"$DIR/out" 2>"$DIR/err" &
	local pid=$!
	exec 7>"$DIR/pipe"
	printf '1\n2' >&7
	wait_for has_keys 1
	printf '\n' >&7
	wait_for has_keys 2
	kill -INT $pid
	wait_for gone $pid
	status=0
	wait $pid || status=$?
	exec 7>&-
	output=$(<"$DIR/out") stderr=$(<"$DIR/err")
	assert_exit 130
	assert_adds_up
	assert_json '[.requested, .stored]' '[2,2]'
	assert_equal "$stderr" 'ccache: error: interrupted: not every item had its turn'
}

has_keys() { (($(key_count) == $1)); }

@test "--ids: an id that comes again and again is one key" {
	serve_things 2
	api_config "$THING"
	printf '%s\n' 1 2 1 1 2 1 >"$DIR/ids"
	warm thing --ids "$DIR/ids"
	assert_exit 0
	assert_json '[.requested, .failed, .stored >= 2]' '[6,0,true]' # the earlier fetches of a key may be overtaken
	assert_equal "$(keys_now | paste -sd' ')" 'thing:1 thing:2'
	assert_equal "$(value_of thing:1)" '{"id":"1"}'
}

# ids_held N BYTES: warm (pid in $WARM_PID) waits for thing 1, the first of N ids, with most of the file unread.
ids_held() {
	serve_things 1
	api_config "$THING"
	awk -v n="$1" 'BEGIN { print 1; for (i = 2; i <= n; i++) printf "%0200d\n", i }' >"$DIR/ids"
	fault hold path=/things
	"$CCACHE" warm -o json thing --ids "$DIR/ids" >"$DIR/out" 2>"$DIR/err" 3>&- 4>&- &
	WARM_PID=$!
	PIDS+=("$WARM_PID")
	wait_for is_asked /things/1
}
is_asked() { (($(upstream_count "$1") > 0)); }
ids_report() {
	no_faults
	wait_for --for 60 gone "$WARM_PID"
	status=0
	wait "$WARM_PID" || status=$?
	output=$(<"$DIR/out") stderr=$(<"$DIR/err")
	assert_adds_up
}

@test "--ids: a file that vanishes while it is read is read to its end" {
	ids_held 2000
	rm "$DIR/ids"
	ids_report
	assert_exit 3
	assert_json '[.requested, .stored, .absent, .complete]' '[2000,1,1999,true]'
}

@test "--ids: a file that becomes shorter while it is read is no complete run" {
	ids_held 2000
	truncate -s 300 "$DIR/ids"
	ids_report
	assert_exit 2
	assert_stderr_line 'the file became shorter while it was read'
	assert_json '[.requested < 2000, .complete, .stopped_by]' '[true,false,"input"]'
}

@test "list pages that shrink, are empty, or vanish" {
	api_config "$THING"
	serve_things 3
	set_data '/things?after=' '{"data":[{"id":"1"},{"id":"2"}],"next":"b"}'
	set_data '/things?after=b' '{"data":[{"id":"3"}],"next":"c"}'
	set_data '/things?after=c' '{"data":[],"next":"d"}'
	set_data '/things?after=d' '{"data":[{"id":"1"}],"next":null}'
	warm thing
	assert_exit 0
	assert_json '[.requested, .failed, .complete]' '[4,0,true]'
	assert_equal "$(keys_now | paste -sd' ')" 'thing:1 thing:2 thing:3'
	set_data '/things?after=c' '' -H 'X-Status: 404'
	warm thing
	assert_exit 5
	assert_stderr_line "list of 'thing', page 3"
	assert_json '[.requested, .complete, .stopped_by]' '[3,false,"input"]'
}

@test "--ids: a line without end is refused before it fills the memory" {
	api_config "$THING"
	warm thing --ids /dev/zero
	assert_exit 2
	assert_stderr_line '/dev/zero:1: longer than'
}

@test "a list of many pages, every id once" {
	stop "$UPSTREAM_PID"
	start_upstream --items 500 --page 40
	use_upstream
	warm message
	assert_exit 0
	assert_json '[.requested, .stored, .namespaces[0].source_requests]' '[500,500,500]'
	assert_equal "$(key_count 'message:*')" 500
	assert_equal "$(upstream_count /api/messages)" 13
}

@test "a list that repeats itself ends, and says so" {
	api_config "$THING"
	serve_things 1
	set_data /things '{"data":[{"id":"1"}],"next":"again"}'
	warm thing
	assert_exit 5
	assert_stderr_line 'would never end'
	assert_json .stored 1
	# a longer circle: a → b → a
	set_data '/things?after=' '{"data":[{"id":"1"}],"next":"a"}'
	set_data '/things?after=a' '{"data":[{"id":"1"}],"next":"b"}'
	set_data '/things?after=b' '{"data":[{"id":"1"}],"next":"a"}'
	warm thing
	assert_exit 5
	assert_stderr_line 'would never end'
	[[ $(upstream_count /things) -lt 20 ]] || fail "$(upstream_count /things) pages were asked for"
}

@test "a list that fails on page 3: what came before is stored, the failure named" {
	stop "$UPSTREAM_PID"
	start_upstream --items 9 --page 3
	use_upstream
	fault status path=/api/messages?after=from:6 value=403
	fault status path=/api/messages?after=from%3A6 value=403
	warm message
	assert_exit 5
	assert_json '[.requested, .stored]' '[6,6]'
	assert_stderr_line "list of 'message', page 3"
	assert_stderr_line 403
	assert_equal "$(key_count)" 6
}

@test "lists that are no lists" {
	api_config "$THING"
	for page in '{"next":null}' '{"data":{},"next":null}' '[]' '{"data":[{"id":"1"}],"next":{}}' 'null' '{"data":[1'; do
		set_data /things "$page"
		warm thing
		assert_exit 5
		assert_stderr_line "list of 'thing', page 1"
	done
	set_data /things '' -H 'X-Status: 404'
	warm thing
	assert_exit 5
	serve_things 2
	set_data /things '{"data":[{"id":"1"},{"ID":"9"},7,{"id":{}},{"id":2}],"next":""}'
	warm thing
	assert_exit 3
	assert_json '[.requested, .stored, .failed_ids]' '[5,2,3]'
	assert_stderr_line "an item has no 'id' at '/id'"
}

@test "--dry-run counts and touches nothing" {
	warm call-logs --dry-run
	assert_exit 0
	assert_json '[.requested, .skipped, .stored]' '[7,7,0]'
	assert_equal "$(key_count)" 0
	assert_equal "$(upstream_count)" "$(upstream_count /api/subaccounts)"
}

@test "--ttl, and what it refuses" {
	warm message --ttl 90s
	assert_exit 0
	local key ttl
	for key in $(keys_now); do
		ttl=$(rcli PTTL "$key")
		((ttl > 80000 && ttl <= 90000)) || fail "$key lives $ttl ms"
	done
	for bad in 0 -1s abc 10 999ms; do
		cc_run warm message --ttl "$bad"
		[[ $status == 2 || ($bad == 10 && $status == 0) ]] || fail "--ttl $bad: exit $status"
	done
}

@test "jitter only shortens, and spreads" {
	stop "$UPSTREAM_PID"
	start_upstream --items 60 --page 60
	use_upstream
	warm message # 5 min, 10 %
	assert_json .stored 60
	keys_now | sed 's/^/PTTL /' | rcli >"$DIR/ttls"
	sort -n "$DIR/ttls" | awk '$1 < 265000 || $1 > 300000 { exit 1 } NR == 1 { low = $1 } END { exit !(NR == 60 && $1 - low > 10000) }' ||
		fail "$(sort -n "$DIR/ttls" | paste -sd' ')"
}

@test "the TTL of the answer: no-store is skipped, max-age counts" {
	mkdir -p "$DIR/nginx/www/r"
	echo 1 | tee "$DIR/nginx/www/r/"{a,b,c,d} >/dev/null
	start_nginx 'location = /r/a { add_header Cache-Control "max-age=30"; } location = /r/b { add_header Cache-Control no-store; }
		location = /r/c { add_header Cache-Control "private, max-age=0"; } location = /r/d { add_header Cache-Control "MAX-AGE=\"40\""; }'
	API_URL=$NGINX_URL api_config '"r": { "key": "r:{id}", "ttl": "5m", "ttl_from": "cache-control", "source": { "use": "api", "get": "/r/{id}" } }'
	warm r a b c d
	assert_exit 0
	assert_json '[.stored, .skipped]' '[2,2]'
	(($(rcli PTTL r:a) <= 30000 && $(rcli PTTL r:a) > 25000)) || fail "r:a lives $(rcli PTTL r:a) ms"
	(($(rcli PTTL r:d) <= 40000 && $(rcli PTTL r:d) > 35000)) || fail "r:d lives $(rcli PTTL r:d) ms"
}

@test "warm writes over an old value of any type, and renews its life" {
	rcli SET "call:logs:$SUB" old EX 5 >/dev/null
	warm call-logs $SUB
	assert_json .stored 1
	(($(rcli PTTL "call:logs:$SUB") > 200000))
	rcli DEL "call:logs:$SUB" >/dev/null
	rcli SADD "call:logs:$SUB" member >/dev/null
	warm call-logs $SUB
	assert_exit 0
	assert_equal "$(rcli TYPE "call:logs:$SUB")" string
}

@test "usage: what goes with what" {
	cc_run warm
	assert_exit 2
	cc_run warm --all message
	assert_exit 2
	cc_run warm mesage
	assert_exit 2
	assert_stderr_line "did you mean 'message'"
	cc_run warm api-response
	assert_exit 2
	assert_stderr_line "namespace 'api-response' has no list"
	cc_run warm human-sessions
	assert_exit 2
	assert_stderr_line "'human-sessions' lists the keys of human-session"
	assert_equal "$output" ''
	cc_run warm analytics-daily 2026-01-01
	assert_exit 2
	cc_run warm dashboard-summary 7
	assert_exit 2
	cc_run warm message ''
	assert_exit 2
	assert_equal "$(key_count) $(upstream_count)" '0 0'
}

@test "REDIS_ENABLED=false: does nothing, says so once, exit 0" {
	REDIS_ENABLED=false cc_run warm --all
	assert_exit 0
	assert_equal "$output" ''
	assert_equal "$stderr" 'ccache: REDIS_ENABLED=false: warm does nothing'
	assert_equal "$(key_count) $(upstream_count)" '0 0'
}

@test "--all: every namespace with a source and a list, each with its row" {
	warm --all
	assert_exit 0
	assert_json '.namespaces | length' 25
	assert_json '.requested == .stored' true
	assert_json '.stored + 1' "$(key_count)" # and the set of human sessions
	assert_stderr_line "'api-response' has no list"
	cc_run warm --all -q
	assert_no_stderr
}

@test "--all goes on behind a namespace whose source fails" {
	fault status path=/api/messages value=403
	warm --all
	assert_exit 5
	assert_json '[.namespaces[] | select(.stored == 0) | .namespace]' '["message"]'
	assert_json '.namespaces | length' 25
}

@test "--all stops where Redis refuses" {
	rcli CONFIG SET maxmemory 1 >/dev/null
	warm --all
	assert_exit 4
	assert_json .stored 0
	assert_stderr_line OOM
	assert_json '.namespaces | length' 0
}

@test "--dry-run tells people that nothing was fetched" {
	cc_run warm call-logs $SUB --dry-run
	assert_exit 0
	assert_line 'dry run: 1 item would be fetched, nothing was'
	printf '%s\n' '{"key": "call:logs:1", "value": 1}' '{"key": "call:logs:2", "value": 2}' >rows
	cc_run warm --from rows --dry-run
	assert_line --partial 'dry run: 2 items would be stored, nothing was; they would take about '
	cc_run warm call-logs $SUB
	[[ $output != *'dry run'* ]] || fail "$output"
}
