# ccache warm --from: values from rows, exact bytes, every row counted.
load helpers
load verbs

setup() {
	sandbox
	on_redis
}

# rows LINE…: $DIR/rows holds them.
rows() { printf '%s\n' "$@" >"$DIR/rows"; }

from() {
	run --separate-stderr timeout 30 "$CCACHE" warm -o json --from "$@"
	assert_adds_up
}

@test "rows of several namespaces, each value as it is written" {
	rows '{"ns":"message","vars":{"message_id":"1"},"value":{ "id":9007199254740993,"b" : 1.10,"a":"\u00e9"}}' \
		'' '{"key":"conversation:7","value":[1, 2 ],"ttl_ms":5000}' \
		'{"ns":"active-calls","text":"caf\u00e9\n\"x\""}' '{"key":"message:2","base64":"AP8K"}'
	from "$DIR/rows"
	assert_exit 0
	assert_no_stderr
	assert_json '[.requested, .stored, .failed, .skipped]' '[4,4,0,0]'
	assert_json '[.namespaces[] | [.namespace, .stored, .source_requests]] | sort' \
		'[["active-calls",1,0],["conversation",1,0],["message",2,0]]'
	assert_equal "$(value_of message:1)" '{ "id":9007199254740993,"b" : 1.10,"a":"\u00e9"}'
	assert_equal "$(value_of conversation:7)" '[1, 2 ]'
	assert_equal "$(value_of active_calls)" $'café\n"x"'
	assert_equal "$(value_of message:2 | od -An -tx1 | tr -d ' ')" 00ff0a
	assert_json .bytes $(($(rcli STRLEN message:1) + 7 + 9 + 3))
}

@test "lives: the namespace's less its jitter, --ttl, the row's own" {
	rows '{"vars":{"message_id":"1"},"value":1}' '{"vars":{"message_id":"2"},"value":1,"ttl_ms":50000}'
	run "$CCACHE" warm message --from "$DIR/rows" --ttl 100s
	((status == 0))
	local ttl
	ttl=$(rcli PTTL message:1)
	((ttl > 80000 && ttl <= 100000))
	ttl=$(rcli PTTL message:2)
	((ttl > 30000 && ttl <= 50000))
	"$CCACHE" warm message --from "$DIR/rows"
	ttl=$(rcli PTTL message:1)
	((ttl > 250000 && ttl <= 300000))
	# the jitter spreads them
	for i in {1..100}; do echo "{\"vars\":{\"message_id\":\"j$i\"},\"value\":$i}"; done | "$CCACHE" warm message --from -
	(($(for i in {1..100}; do rcli PEXPIRETIME "message:j$i"; done | sort -u | wc -l) > 80))
}

@test "failed rows are named with line and column, the others go on" {
	rows '{"ns":"message","vars":{"message_id":"1"},"value":1}' '{"ns":"message","vars":{"message_id":"2"},"value":01}' \
		'{"ns":"mesage","vars":{"message_id":"3"},"value":1}' '' '{"key":"whose:is:this","value":1}' \
		'{"ns":"message","vars":{"message_id":"a:b"},"value":1}' '[' '{"ns":"message","vars":{"message_id":"4"},"value":1}'
	from "$DIR/rows"
	assert_exit 3
	assert_json '[.requested, .stored, .failed, .failed_rows, .failed_ids]' '[7,2,5,2,3]'
	assert_stderr_line "$DIR/rows:2:51: a number may not start with 0"
	assert_stderr_line "$DIR/rows:3:7: unknown namespace 'mesage'; did you mean 'message'?"
	assert_stderr_line "$DIR/rows:5:8: no namespace claims the key 'whose:is:this'"
	assert_stderr_line "$DIR/rows:6:24: message: message_id 'a:b' may not hold a ':'"
	assert_stderr_line "$DIR/rows:7:1: a row is an object"
	# those of no known namespace have a row of their own
	assert_json '[.namespaces[] | select(.namespace == null) | .failed]' '[4]'
	assert_equal "$(key_count)" 2
}

@test "a namespace on the command line: no other rows" {
	rows '{"vars":{"message_id":"1"},"value":1}' '{"key":"message:2","value":2}' '{"key":"conversation:2","value":2}' \
		'{"ns":"conversation","vars":{"conversation_id":"1"},"value":1}'
	from "$DIR/rows" message
	assert_exit 3
	assert_json '[.namespaces[] | [.namespace, .requested, .stored, .failed]]' '[["message",4,2,2]]'
	assert_stderr_line ":3:8: the key 'conversation:2' belongs to namespace conversation, not to message"
	assert_stderr_line ":4:7: the row is of namespace conversation, this run is for message"
}

@test "--dry-run checks and stores nothing" {
	rows '{"key":"message:1","value":1}' '{"key":"message:2","value":}'
	from "$DIR/rows" --dry-run
	assert_exit 3
	assert_json '[.requested, .stored, .skipped, .failed]' '[2,0,1,1]'
	assert_equal "$(key_count)" 0
}

@test "an empty file, and one whose last line has no end" {
	: >"$DIR/rows"
	from "$DIR/rows"
	assert_exit 0
	assert_json '[.requested, (.namespaces | length)]' '[0,0]'
	printf '{"key":"message:1","value":1}\n{"key":"message:2","value":2}' >"$DIR/rows"
	from "$DIR/rows"
	assert_exit 0
	assert_json .stored 2
	truncate -s -3 "$DIR/rows"
	from "$DIR/rows"
	assert_exit 3
	assert_json '[.stored, .failed_rows]' '[1,1]'
}

@test "no file, a directory, binary, compressed; options that exclude each other" {
	local case words
	printf 'a\0b' >"$DIR/binary"
	echo '{}' | gzip >"$DIR/packed.gz"
	for case in "nowhere|No such file" "$DIR|directory" "$DIR/binary|binary" "$DIR/packed.gz|zcat"; do
		cc_run warm --from "${case%|*}"
		assert_exit 2
		assert_stderr_line "${case%|*}"
		assert_stderr_line "${case#*|}"
	done
	for words in '--all' '--ids x' 'message 1'; do
		# shellcheck disable=SC2086 # several words
		cc_run warm --from rows $words
		assert_exit 2
		assert_stderr_line '--from goes with one namespace'
	done
	cc_run warm mesage --from "$DIR/binary"
	assert_exit 2
	assert_stderr_line "did you mean 'message'"
}

@test "a row over 16 MiB is refused, one just under is stored" {
	{
		printf '{"key":"message:big","value":"'
		head -c $((16 * 1024 * 1024 - 40)) /dev/zero | tr '\0' x
		printf '"}\n{"key":"message:bigger","value":"'
		head -c $((16 * 1024 * 1024)) /dev/zero | tr '\0' x
		printf '"}\n{"key":"message:small","value":1}\n'
	} >"$DIR/rows"
	from "$DIR/rows"
	assert_exit 3
	assert_json '[.requested, .stored, .failed_rows]' '[3,2,1]'
	assert_stderr_line "$DIR/rows:2: a row may have 16 MiB at most"
	assert_equal "$(rcli STRLEN message:big)" $((16 * 1024 * 1024 - 38))
	assert_equal "$(rcli GET message:small)" 1
}

@test "--failures: the rows that failed, as --from reads them" {
	rows '{"key":"message:1","value":1}' '{"key":"nobody:1","value":1}' '{"key":"message:2","value":01}' '{"key":"message:3","value":3}'
	from "$DIR/rows" --failures "$DIR/failed"
	assert_exit 3
	assert_equal "$(<"$DIR/failed")" '{"key":"nobody:1","value":1}
{"key":"message:2","value":01}'
	rcli REPLICAOF 127.0.0.1 1 >/dev/null
	from "$DIR/rows" --ephemeral --failures "$DIR/failed"
	assert_exit 4
	assert_equal "$(sort "$DIR/failed")" "$(sort "$DIR/rows")"
	rcli REPLICAOF NO ONE >/dev/null
	rcli FLUSHALL >/dev/null
	sed -i '/nobody/d;/01}/d' "$DIR/failed"
	from "$DIR/failed"
	assert_exit 0
	assert_equal "$(key_count)" 2
}

@test "a set lists more rows than are under way at once" {
	API_URL=http://127.0.0.1:1 api_config '"thing": { "key": "thing:{id}", "ttl": "5m" },
		"things": { "key": "things:all", "type": "set", "ttl": "5m", "members_of": "thing", "member": "id" }'
	seq 20000 | sed 's/.*/{"ns":"thing","vars":{"id":"&"},"value":&}/' >"$DIR/rows"
	from "$DIR/rows"
	assert_exit 0
	assert_json '[.requested, .stored]' '[20000,20000]'
	assert_equal "$(rcli SCARD things:all)" 20000
}

@test "a lease: a file is read by one run at a time" {
	rows '{"key":"message:1","value":1}'
	rcli SET "cc:l:warm:*:from:$DIR/rows" '{"host":"elsewhere","pid":7,"since_ms":0}' EX 100 >/dev/null
	from "$DIR/rows"
	assert_exit 6
	assert_stderr_line 'host elsewhere, pid 7'
	assert_json '[.requested, .complete, .stopped_by]' '[0,false,"lease"]'
	from "$DIR/rows" --if-locked ok
	assert_exit 0
	from "$DIR/rows" --ephemeral
	assert_json .stored 1
	rcli DEL "cc:l:warm:*:from:$DIR/rows" >/dev/null
	from "$DIR/rows"
	assert_exit 0
	assert_equal "$(rcli EXISTS "cc:l:warm:*:from:$DIR/rows")" 0
}

@test "rows that do not fit are refused before the server is full; --evict goes on" {
	big() { awk -v n="$1" 'BEGIN { for (i = 1; i <= n; i++) printf "{\"vars\":{\"message_id\":\"%d\"},\"value\":\"%01000d\"}\n", i, i }'; }
	big 40000 >"$DIR/rows"
	rcli CONFIG SET maxmemory 24mb >/dev/null
	from "$DIR/rows" message
	assert_exit 7
	assert_stderr_line 'left of its maxmemory: raise it, warm less, or go on with --evict'
	assert_json '[.complete, .stopped_by, .stored > 0, .requested < 30000, .failed]' '[false,"memory",true,true,0]'
	rcli FLUSHALL >/dev/null
	from "$DIR/rows" message --evict
	assert_exit 4
	assert_stderr_line OOM
	rcli FLUSHALL >/dev/null
	rcli CONFIG SET maxmemory 100mb >/dev/null
	from "$DIR/rows" message
	assert_exit 0
}

@test "from a pipe that stops and goes: each row is stored as it comes" {
	mkfifo "$DIR/pipe"
	in_background warm.log "$CCACHE" warm message --from "$DIR/pipe" -o json
	local pid=$STARTED
	exec 7>"$DIR/pipe"
	echo '{"vars":{"message_id":"1"},"value":1}' >&7
	wait_for key_is message:1 1
	printf '{"vars":{"message_id":"2"},' >&7
	printf '"value":2}\n' >&7
	wait_for key_is message:2 2
	exec 7>&-
	wait "$pid"
	output=$(cat "$DIR/warm.log")
	assert_json '[.requested, .stored]' '[2,2]'
}

key_is() { [[ $(rcli GET "$1") == "$2" ]]; }

# The run of $pid, which reads the pipe.
told_to_end() {
	local code=0
	kill -TERM "$pid"
	wait_for gone "$pid"
	wait "$pid" || code=$?
	exec 7>&-
	assert_equal "$code" 143
	output=$(grep -v '^ccache:' "$DIR/warm.log")
}

@test "interrupted while it waits for input: a truthful summary, exit 143" {
	mkfifo "$DIR/pipe"
	in_background warm.log "$CCACHE" warm message --from "$DIR/pipe" -o json
	local pid=$STARTED
	exec 7>"$DIR/pipe"
	echo '{"vars":{"message_id":"1"},"value":1}' >&7
	wait_for key_is message:1 1
	told_to_end
	assert_adds_up
	assert_json '[.requested, .stored, .complete]' '[1,1,false]'

	in_background warm.log "$CCACHE" warm --from "$DIR/pipe" -o json # before the first row
	pid=$STARTED
	exec 7>"$DIR/pipe"
	told_to_end
	assert_json '[.requested, .complete, .stopped_by]' '[0,false,"interrupted"]'
}

# numbered COUNT: as many rows of namespace message.
numbered() { awk -v n="$1" 'BEGIN { for (i = 1; i <= n; i++) printf "{\"vars\":{\"message_id\":\"%d\"},\"value\":{\"n\":%d,\"body\":\"some words of a message\"}}\n", i, i }'; }

@test "Redis out of memory: stops, and nothing counts that is not there" {
	numbered 100000 >"$DIR/rows"
	rcli CONFIG SET maxmemory 8mb >/dev/null
	from "$DIR/rows" message --evict
	assert_exit 4
	assert_stderr_line OOM
	assert_stderr_line maxmemory
	assert_json '.stored > 0 and .requested < 100000 and .failed == .failed_redis' true
	assert_json .stored "$(db_size)"
}

@test "a replica, and a user who may not: stops at once, naming why" {
	numbered 50 >"$DIR/rows"
	rcli REPLICAOF 127.0.0.1 1 >/dev/null
	from "$DIR/rows" message # not even the lease
	assert_exit 4
	assert_stderr_line 'connect to its primary'
	assert_json '[.requested, .stopped_by]' '[0,"redis"]'
	from "$DIR/rows" message --ephemeral
	assert_exit 4
	assert_stderr_line 'connect to its primary'
	assert_json '[.stored, .failed_redis]' '[0,50]'
	rcli REPLICAOF NO ONE >/dev/null
	rcli ACL SETUSER reader on '>pw' '~*' +@all -set >/dev/null
	from "$DIR/rows" message -u "unix://reader:pw@$REDIS_SOCKET"
	assert_exit 4
	assert_stderr_line "may not run 'SET'"
	assert_equal "$(db_size)" 0
}

@test "Redis killed in mid-run: stored is what was acknowledged" {
	mkfifo "$DIR/pipe"
	in_background warm.log "$CCACHE" warm message --from "$DIR/pipe" -o json --timeout 5s
	local pid=$STARTED code=0
	exec 7>"$DIR/pipe"
	numbered 1000 >&7
	wait_for key_is message:1000 '{"n":1000,"body":"some words of a message"}'
	kill -STOP "$REDIS_PID"
	numbered 10 >&7
	wait_for --for 30 gone "$pid"
	wait "$pid" || code=$?
	exec 7>&-
	kill -CONT "$REDIS_PID"
	assert_equal "$code" 4
	output=$(grep '^{' "$DIR/warm.log" || sed -n '/^{/,$p' "$DIR/warm.log")
	assert_adds_up
	assert_json '[.requested, .stored, .failed_redis]' '[1010,1000,10]'
	grep -F 'no answer within' "$DIR/warm.log"
}
