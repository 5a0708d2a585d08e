# Sources on this machine: files below a directory, and commands.
load helpers
load verbs

setup() {
	sandbox
	on_redis
}

# local_config SOURCE STEP [MORE]: source "local" and a namespace "thing" that asks it; MORE of the namespace.
local_config() {
	cat >"$DIR/config.json" <<-JSON
		{ "sources": { "local": { $1 } },
		  "namespaces": { "thing": { "key": "thing:{id}", "ttl": "5m", "source": { "use": "local"${2:+, $2} }${3:+, $3} } } }
	JSON
	export CALLCACHE_CONFIG=$DIR/config.json
}

# program TEXT: writes $DIR/program, a shell script that notes each of its starts.
program() {
	printf '#!/bin/sh\necho $$ >>"%s/starts"\n%s\n' "$DIR" "$1" >"$DIR/program"
	chmod +x "$DIR/program"
	: >"$DIR/starts"
}

# Answers every request with what it was asked.
ECHO='exec jq -c --unbuffered "{id, value: .vars.id}"'

starts() { wc -l <"$DIR/starts"; }
all_gone() {
	local pid
	while read -r pid; do gone "$pid" || return 1; done <"$DIR/starts"
}


@test "command: 1000 ids in batches of 100 are few processes" {
	program "$ECHO"
	local_config '"command": ["'"$DIR"'/program"], "batch": 100, "concurrency": 2'
	seq 1000 >"$DIR/ids"
	cc_run warm thing --ids "$DIR/ids" --output json
	assert_exit 0
	assert_adds_up
	assert_json '[.requested, .stored]' '[1000,1000]'
	assert_equal "$(key_count)" 1000
	assert_equal "$(value_of thing:617)" '"617"'
	(($(starts) >= 10 && $(starts) <= 200)) || { echo "processes: $(starts)"; false; }
}

@test "command: ids are data, whatever is in them" {
	program "$ECHO"
	local_config '"command": ["'"$DIR"'/program"], "batch": 100'
	local id
	for id in 'a b' "it's" '"' '\' '$(touch x)' '`touch x`' ';touch x' '-rf' '--' $'two\nlines' 'é' '{id}' '*' '%s' '${HOME}'; do
		cc_run get thing "id=$id"
		assert_exit 0
		assert_equal "$(jq -r . <<<"$output")" "$id"
	done
	[[ ! -e x ]]
}

@test "command: a variable that is a whole argument; a leading '-' is refused" {
	program 'printf %s\\n "$1" "$2" "$3" "$WHO" | jq -Rs .'
	local_config '"command": ["'"$DIR"'/program", "{id}", "x{id}", "{{id}}"], "env": { "WHO": "{id}" }'
	local id
	for id in 'a b' '$(touch x)' "it's" $'two\nlines' 'a-b'; do
		cc_run get thing "id=$id"
		assert_exit 0
		assert_equal "$(jq -r . <<<"$output")" "$id"$'\nx{id}\n{id}\n'"$id"
	done
	: >"$DIR/starts"
	cc_run get thing id=-rf
	assert_exit 2
	assert_stderr_line "id begins with '-'"
	printf '%s\n' -rf --help ok >"$DIR/ids"
	cc_run warm thing --ids "$DIR/ids" --output json
	assert_exit 3
	assert_adds_up
	assert_json '[.stored, .failed_ids]' '[1,2]'
	assert_equal "$(starts)" 1
	[[ ! -e x ]]
}

@test "command: without batch its output is the value, byte for byte; no output is absent" {
	program 'read -r line; [ "$1" = none ] || printf "{ \"a\":1.10,\n\"b\":12345678901234567890}"'
	local_config '"command": ["'"$DIR"'/program", "{id}"]'
	cc_run get thing 1
	assert_exit 0
	assert_equal "$(value_of thing:1)" $'{ "a":1.10,\n"b":12345678901234567890}'
	cc_run get thing none
	assert_exit 3
	assert_stderr_line 'the source has nothing there'
	local_config '"command": ["'"$DIR"'/program", "{id}"], "max_body": 10'
	cc_run get thing 2
	assert_exit 3
	assert_stderr_line 'larger than 10 bytes'
}

@test "command: the exact slice of value, an error of one, nothing for others" {
	program 'cat >/dev/null; printf "%s\n" "{\"value\": { \"z\":1.10 ,\"a\":[]} ,\"id\":2}" "" "{\"id\":1,\"error\":\"no such\\ntable\"}" "{\"id\":3}"'
	local_config '"command": ["'"$DIR"'/program"], "batch": 10'
	printf '%s\n' a b c d >"$DIR/ids"
	cc_run warm thing --ids "$DIR/ids" --output json
	assert_exit 3
	assert_adds_up
	assert_json '[.stored, .absent, .failed]' '[1,2,1]'
	assert_equal "$(value_of thing:b)" '{ "z":1.10 ,"a":[]}'
	assert_stderr_line 'no such\ntable'
	refute_stderr_line 'nothing there (0)'
	assert_equal "$(starts)" 1
}

@test "command: garbage fails what is unanswered and names the line" {
	program 'read -r line; echo "{\"id\":1,\"value\":1}"; echo "psql: oops"; exec sleep 60'
	local_config '"command": ["'"$DIR"'/program"], "batch": 10'
	seq 5 >"$DIR/ids"
	cc_run warm thing --ids "$DIR/ids" --output json
	assert_exit 3
	assert_adds_up
	assert_json '[.stored, .failed_body]' '[1,4]'
	assert_stderr_line 'line 2 of its standard output: is not JSON'
	wait_for all_gone
	local text
	for text in '{"id":9,"value":1}' '{"value":1}' '[1]' '{"id":1,"value":1}{"id":2,"value":2}' '{"id":-1}' '{"id":1.0}'; do
		program "echo '$text'"
		cc_run warm thing --ids "$DIR/ids" --output json
		assert_exit 3
		assert_json '.failed_body' 5
		assert_stderr_line 'line 1 of its standard output'
	done
}

@test "command: a failure names status and the first line of standard error" {
	program 'read -r line; echo "{\"id\":1,\"value\":1}"; echo >&2; echo "  FATAL: no such role" >&2; echo more >&2; exit 3'
	local_config '"command": ["'"$DIR"'/program"], "batch": 10'
	seq 5 >"$DIR/ids"
	cc_run warm thing --ids "$DIR/ids" --output json
	assert_exit 3
	assert_adds_up
	assert_json '[.stored, .failed_status]' '[1,4]'
	assert_stderr_line "local: $DIR/program: exit status 3: FATAL: no such role"
	refute_stderr_line more
	program 'kill -9 $$'
	cc_run get thing 7
	assert_stderr_line 'killed by signal 9'
	local_config '"command": ["'"$DIR"'/nowhere"]'
	cc_run get thing 7
	assert_exit 5
	assert_stderr_line "$DIR/nowhere: cannot be started: No such file or directory"
}

@test "command: a program that fails time after time is not started for ever" {
	program 'echo "FATAL: no database" >&2; exit 1'
	local_config '"command": ["'"$DIR"'/program", "{id}"], "concurrency": 2'
	seq 2000 >"$DIR/ids"
	cc_run warm thing --ids "$DIR/ids" --output json
	assert_exit 5
	assert_adds_up
	assert_json '[.stopped_by, .stored, .requested < 2000, .failed_status + .failed_breaker == .failed]' '["source",0,true,true]'
	assert_stderr_line "source 'local' $DIR/program:"
	assert_stderr_line 'failures in a row (last: exit status 1: FATAL: no database); no more is asked of it in this run'
	assert_json .failed_status "$(starts)"
	# one that answers now and then goes on
	program '[ $(($1 % 10)) = 0 ] || exit 1; echo 1'
	head -50 "$DIR/ids" >"$DIR/few"
	cc_run warm thing --ids "$DIR/few" --output json
	assert_exit 3
	assert_json '[.complete, .stored, .failed_status]' '[true,5,45]'
}

@test "command: one that hangs is ended with all that it started, deaf or not" {
	program 'trap "" TERM; echo "slow database" >&2; sleep 60 & echo $! >>"'"$DIR"'/starts"; wait; wait'
	local_config '"command": ["'"$DIR"'/program"], "batch": 10, "timeout": "3s"'
	seq 3 >"$DIR/ids"
	cc_run warm thing --ids "$DIR/ids" --output json
	assert_exit 3
	assert_adds_up
	assert_json '.failed_timeout' 3
	assert_stderr_line 'no answer within 3000 ms'
	assert_stderr_line 'slow database'
	assert_equal "$(starts)" 2
	wait_for all_gone
}

@test "command: a gigabyte on standard error costs no memory and little time" {
	program 'head -c 1000000000 /dev/zero | tr "\0" x >&2; cat >/dev/null; echo "{\"id\":1,\"value\":1}"; exit 4'
	local_config '"command": ["'"$DIR"'/program"], "batch": 10, "timeout": "60s"'
	printf '%s\n' a b >"$DIR/ids"
	run --separate-stderr /usr/bin/time -f '%M' -o "$DIR/peak" "$CCACHE" warm thing --ids "$DIR/ids" --output json
	assert_exit 3
	assert_json '[.stored, .failed_status]' '[1,1]'
	assert_stderr_line 'exit status 4: xxxx'
	((${#stderr} < 2000))
	peak=$(tail -1 "$DIR/peak")
	[[ $(nm "$CCACHE" 2>/dev/null) == *__[at]san_init* ]] || ((peak < 40000)) || { echo "peak: $peak KiB"; false; }
}

@test "command: an interrupt stops it and says so" {
	program 'trap "" TERM; exec sleep 600'
	local_config '"command": ["'"$DIR"'/program"], "batch": 10, "timeout": "600s"'
	seq 3 >"$DIR/ids"
	in_background warm.log "$CCACHE" warm thing --ids "$DIR/ids" --output json
	wait_for test -s "$DIR/starts"
	local pid=$STARTED
	kill -TERM "$pid"
	wait_for gone "$pid"
	wait "$pid" && status=0 || status=$?
	assert_equal "$status" 143
	wait_for all_gone
}

@test "command: kill -9 of the program ends what it started" {
	program 'trap "" TERM; exec sleep 600'
	local_config '"command": ["'"$DIR"'/program"], "timeout": "600s"'
	in_background get.log "$CCACHE" get thing 1
	wait_for test -s "$DIR/starts"
	refute all_gone
	kill -KILL "$STARTED"
	wait_for all_gone
}

@test "command: it sees no descriptor of ours and no terminal, and need not read" {
	local_config '"command": ["'"$DIR"'/program"]'
	program '(: </dev/tty) 2>/dev/null && echo \"tty\" || echo \"none\"'
	cc_run get thing 1
	assert_equal "$output" '"none"'
	program 'exec ls -1 /proc/self/fd >"'"$DIR"'/fds"'
	cc_run get thing 2
	assert_equal "$(paste -sd' ' "$DIR/fds")" '0 1 2 3' # the last is the directory that ls reads
	program 'exec <&-; echo "{\"id\":1,\"value\":1}"'
	local_config '"command": ["'"$DIR"'/program"], "batch": 100000, "concurrency": 1'
	seq 300 | sed "s/\$/$(printf 'x%.0s' {1..500})/" >"$DIR/ids"
	cc_run warm thing --ids "$DIR/ids" --output json
	assert_adds_up
	assert_json '.stored >= 1 and .failed == 0' true
}

@test "command: list, chain with filtered args, keep_only, and what is not JSON" {
	program 'exec jq -c --unbuffered "{id} + (.vars |
		if has(\"cursor\") then {value: {items: [{id: \"1\"}, {id: \"2\"}], next: (if .cursor == \"\" then \"p2\" else null end)}}
		elif .table == \"ids\" then {value: {ids: [7]}}
		elif .table == \"exact\" then {}
		elif .table == \"digits\" then {value: [{n: 7, phone: .phone}, {n: 8}]}
		else {value: 1} end)"'
	cat >"$DIR/config.json" <<-JSON
		{ "sources": { "db": { "command": ["$DIR/program"], "batch": 10 } },
		  "namespaces": {
			"item": { "key": "item:{id}", "ttl": "5m", "source": { "use": "db" },
				"list": { "use": "db", "items": "/items", "vars": { "id": "/id" }, "next": "/next" } },
			"org": { "key": "org:{phone}", "ttl": "5m", "source": {
				"chain": [ { "use": "db", "args": { "table": "exact", "phone": "{phone}" } },
					{ "use": "db", "args": { "table": "digits", "phone": "{phone|digits}" } } ],
				"keep_only": { "item": "/n", "in": { "use": "db", "args": { "table": "ids" }, "items": "/ids" } } } },
			"text": { "key": "text:{id}", "ttl": "5m", "json": false, "source": { "use": "db", "args": { "id": "{id}" } } } } }
	JSON
	export CALLCACHE_CONFIG=$DIR/config.json
	cc_run warm item --output json
	assert_exit 0
	assert_json '.requested == 4 and .stored + .renewed + .skipped_overtaken == 4 and .stored >= 2' true # each id comes twice
	cc_run get org phone=+1-2
	assert_exit 0
	assert_equal "$(value_of org:+1-2)" '[{"n":7,"phone":"12"}]'
	cc_run get text 1
	assert_stderr_line 'its value is not a string'
	cc_run config show
	assert_json '[.namespaces.org.source.chain[1].args.phone, .sources.db.batch]' '["{phone|digits}",10]'
	"$CCACHE" config show >"$DIR/shown.json"
	cc_run config check "$DIR/shown.json"
	assert_exit 0
}

@test "file: what is there, what is not, what is none" {
	mkdir -p "$DIR/root/dir.json" "$DIR/root/sub"
	printf '{ "a":1.10}\n' >"$DIR/root/a b%.json"
	printf '"deep"' >"$DIR/root/sub/x.json"
	printf 'not json' >"$DIR/root/bad.json"
	mkfifo "$DIR/root/fifo.json"
	local_config '"file": { "root": "'"$DIR"'/root/" }, "max_body": "1KiB"' '"get": "/{id|rest}.json"'
	sed -i 's/"thing:{id}"/"thing:{id|rest}"/' "$DIR/config.json"
	cc_run get thing 'id=a b%'
	assert_exit 0
	assert_equal "$(rcli --no-raw GET 'thing:a b%')" '"{ \"a\":1.10}\n"'
	cc_run get thing sub/x
	assert_equal "$output" '"deep"'
	local id
	for id in none sub/none none/none 'a b%.json/x'; do
		cc_run get thing "id=$id"
		assert_exit 3
		assert_stderr_line 'the source has nothing there'
	done
	cc_run get thing dir
	assert_exit 3
	assert_stderr_line "local: $DIR/root/dir.json: is a directory"
	cc_run get thing fifo
	assert_stderr_line 'is not a regular file'
	cc_run get thing bad
	assert_stderr_line 'not JSON: 1:2'
	head -c 2000 /dev/zero >"$DIR/root/big.json"
	cc_run get thing big
	assert_stderr_line 'larger than 1024 bytes'
	rm -r "$DIR/root"
	cc_run get thing 1
	assert_exit 5
	assert_stderr_line 'cannot open the root'
}

@test "file: nothing outside the root" {
	mkdir -p "$DIR/root/in"
	echo '"secret"' >"$DIR/outside.json"
	echo '"inside"' >"$DIR/root/in/real.json"
	ln -s "$DIR/outside.json" "$DIR/root/absolute.json"
	ln -s ../outside.json "$DIR/root/relative.json"
	ln -s .. "$DIR/root/up"
	ln -s in/real.json "$DIR/root/link.json"
	ln -s loop.json "$DIR/root/loop.json"
	local_config '"file": { "root": "'"$DIR"'/root" }' '"get": "/{id|rest}.json"'
	sed -i 's/"thing:{id}"/"thing:{id|rest}"/' "$DIR/config.json"
	cc_run get thing link
	assert_exit 0
	assert_equal "$output" '"inside"'
	local id
	for id in absolute relative up/outside; do
		cc_run get thing "$id"
		assert_exit 3
		assert_stderr_line 'a symbolic link leads out of the root'
	done
	for id in ../outside in/../../outside /../outside .. . in/./real in//real ../root/link /etc/passwd "$DIR/outside"; do
		cc_run get thing "id=$id"
		((status == 2 || status == 3)) || { dump; false; }
		refute_stderr_line secret
		[[ ! $output ]]
	done
	cc_run get thing loop
	assert_exit 3
	local_config '"file": { "root": "'"$DIR"'/root" }' '"get": "/in/{id}.json"'
	cc_run get thing id=../../outside
	assert_exit 3
	assert_stderr_line "a file's name cannot hold '/'"
}

@test "config: each kind has its fields, and a step what its kind is asked with" {
	local row
	while IFS='|' read -r source step want; do
		local_config "$source" "$step"
		cc_run config check "$CALLCACHE_CONFIG"
		assert_exit 2
		[[ $output$stderr == *"$want"* ]] || { printf 'expected: %s\n' "$want"; dump; false; }
	done <<-'ROWS'
		"command": ["x"], "headers": {}||'headers' does not go with 'command'
		"command": ["x"], "base_url": "http://h"||'base_url' does not go with 'command'
		"file": { "root": "/r" }, "batch": 3|"get": "/{id}"|'batch' does not go with 'file'
		"base_url": "http://h", "batch": 3|"get": "/{id}"|'batch' goes with 'command' only
		"file": { "root": "r" }|"get": "/{id}"|must be an absolute path
		"file": {}|"get": "/{id}"|needs 'root'
		"file": { "root": "/r" }|"get": "/x?id={id}"|a file has no query
		"file": { "root": "/r" }||'get' is missing
		"command": ["x"]|"get": "/{id}"|is a command: it is asked with 'args'
		"base_url": "http://h"|"get": "/{id}", "args": { "a": "b" }|is no command: it is asked with 'get'
		"command": []||the program and its arguments
		"command": ["{id}"]||may not be empty or a variable
		"command": ["x", 7]||expected a string
		"command": ["x", "{ids}"]||needs {ids}, which it is not asked with; did you mean 'id'?
		"command": ["x", "{id}"], "batch": 2||serves one request
		"command": ["x"]|"args": { "a": "{nope}" }|{nope} is not a variable of the key
		"command": ["x"], "env": { "A=B": "c" }||is not a variable's name
	ROWS
}
