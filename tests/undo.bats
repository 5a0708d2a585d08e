# ccache invalidate --undo: what was dropped comes back, and nothing that is there is touched.
load helpers
load verbs

setup() {
	sandbox
	on_redis --enable-debug-command yes
}

# drop ARGS…, undo ARGS…: JSON on stdout, numbers that add up. drop sets $file.
drop() {
	cc_run invalidate -o json "$@" --yes
	[[ $output ]] || return 0
	assert_adds_up
	file=$(jq -r '.undo // ""' <<<"$output")
}
undo() {
	cc_run invalidate -o json --undo "${file:?}" "$@"
	[[ ! $output ]] || assert_adds_up
}

# digests KEY…: of each key's value, and when it expires.
digests() {
	local key
	for key in "$@"; do
		printf '%s %s %s\n' "$key" "$(rcli DEBUG DIGEST-VALUE "$key")" "$(rcli PEXPIRETIME "$key")"
	done
}

@test "every type, with and without a TTL, comes back byte for byte" {
	rcli SET text $'bin\001ary\r\n' PX 300000 >/dev/null
	rcli SET forever x >/dev/null
	rcli SET empty '' >/dev/null
	rcli HSET hash a 1 b 2 >/dev/null
	rcli RPUSH list 3 1 2 >/dev/null
	rcli SADD set x y >/dev/null
	rcli ZADD zset 1.5 a -inf b >/dev/null
	rcli XADD stream 1-1 f v >/dev/null
	rcli PEXPIRE zset 500000 >/dev/null
	local keys=(text forever empty hash list set zset stream) before
	before=$(digests "${keys[@]}")
	drop "${keys[@]/#/--key=}"
	assert_exit 0
	assert_json '[.requested, .removed]' '[8,8]'
	assert_stderr_line "--undo '$file'"
	assert_equal "$(key_count)" 0
	assert_equal "$(stat -c %a "$file")" 600
	[[ $file == "$XDG_STATE_HOME"/callcache/undo/* ]] || fail "$file"
	undo --yes
	assert_exit 0
	assert_json '[.changes, .restored, .kept, .expired, .failed, .complete]' '[8,8,0,0,0,true]'
	assert_equal "$(digests "${keys[@]}")" "$before"
	undo --yes # again: everything is there
	assert_json '[.restored, .kept]' '[0,8]'
}

@test "who waits for a list has its entry when it comes back" {
	rcli RPUSH queue:a job >/dev/null
	drop --key=queue:a
	assert_exit 0
	in_background waiting redis-cli -s "$REDIS_SOCKET" BRPOP queue:a 0
	wait_for somebody_waits
	undo --yes
	assert_exit 0
	assert_json '[.restored, .failed]' '[1,0]'
	wait_for grep -qx job "$DIR/waiting"
	assert_equal "$(rcli EXISTS queue:a)" 0
}
somebody_waits() { [[ $(rcli INFO clients) == *blocked_clients:1* ]]; }

@test "what an application wrote since is left, what expired since is counted apart" {
	# as short a life as this machine has the time to drop it in
	for life in 400 4000 40000; do
		rcli MSET call:logs:a old call:logs:b old >/dev/null
		rcli SET call:logs:c old PX $life >/dev/null
		drop call-logs a b c
		[[ $(jq .removed <<<"$output") == 3 ]] && break
	done
	assert_json .removed 3
	rcli SET call:logs:a new >/dev/null
	wait_for --for 60 expired_by_the_servers_clock
	undo --dry-run
	assert_exit 0
	assert_json '[.changes, .expired, .dry_run]' '[3,1,true]'
	assert_equal "$(key_count)" 1
	undo --yes
	assert_exit 0
	assert_json '[.restored, .kept, .expired]' '[1,1,1]'
	assert_equal "$(rcli MGET call:logs:a call:logs:b call:logs:c | paste -sd' ')" 'new old '
}

# server_ms: its clock.
server_ms() {
	rcli TIME | {
		read -r seconds
		read -r micros
		echo $((seconds * 1000 + micros / 1000))
	}
}

# Since it was first asked, more than call:logs:c's life went by.
expired_by_the_servers_clock() {
	: "${started:=$(server_ms)}"
	(($(server_ms) > started + life))
}

@test "keys with any byte, 10,000 of them in pages of records" {
	rcli DEBUG POPULATE 9000 call:logs 100 >/dev/null
	rcli SET $'bin\377\r\n\033[2J' v >/dev/null
	local before
	before=$(rcli DEBUG DIGEST)
	drop call-logs --all
	assert_json .removed 9000
	undo --yes
	assert_json '[.changes, .restored]' '[9000,9000]'
	drop --key $'bin\377\r\n\033[2J'
	undo --yes
	assert_json .restored 1
	rcli DEL cc:c:call-logs cc:c: >/dev/null
	assert_equal "$(rcli DEBUG DIGEST)" "$before"
}

# big_values: a hash of 100,000 fields, and other collections and a string over a page.
big_values() {
	rcli EVAL "for i=1,100000 do redis.call('HSET',KEYS[1],'field:'..i,'value '..i) end
		for i=1,20000 do redis.call('RPUSH',KEYS[2],'element '..i) redis.call('SADD',KEYS[3],'member '..i)
		redis.call('ZADD',KEYS[4],i/3,'member '..i) end
		redis.call('SET',KEYS[5],string.rep('0123456789abcdef',20000)..'end') redis.call('PEXPIRE',KEYS[1],600000) return 1" \
		5 big:hash big:list big:set big:zset big:string >/dev/null
}

@test "large values are saved and come back in pages, no command holding the server" {
	big_values
	local before keys=(big:hash big:list big:set big:zset big:string)
	before=$(digests "${keys[@]}")
	rcli CONFIG RESETSTAT >/dev/null
	drop --match 'big:*'
	assert_json '[.removed, .failed]' '[5,0]'
	rcli INFO commandstats | grep -q cmdstat_dump && fail 'DUMP was used'
	assert_equal "$(key_count)" 0
	undo --yes
	assert_json '[.changes, .restored]' '[5,5]'
	assert_equal "$(digests "${keys[@]}")" "$before"
	assert_equal "$(rcli KEYS 'cc:m:*')" '' # no temporary key is left
	drop --key big:hash
	rcli SET big:hash mine >/dev/null
	undo --yes
	assert_json '[.restored, .kept]' '[0,1]'
	assert_equal "$(rcli GET big:hash)" mine
}

# Pages do not tell a field's own TTL (Redis from 7.4, Valkey from 9.0 on).
@test "hashes whose fields have TTLs come back with them; one too large to be saved whole stays, named" {
	rcli EVAL "for i, fields in ipairs({2, 4000, 200000}) do
		for field = 1, fields do redis.call('HSET', KEYS[i], 'field:' .. field, field) end end" \
		3 fields:small fields:paged fields:large >/dev/null
	if [[ $(rcli HEXPIRE fields:large 5000 FIELDS 1 field:7) != 1 ]]; then
		drop --match 'fields:*' # one that knows no such TTL asks for none
		assert_json '[.removed, .failed]' '[3,0]'
		return
	fi
	rcli HEXPIRE fields:small 5000 FIELDS 1 field:1 >/dev/null
	rcli HEXPIRE fields:paged 5000 FIELDS 1 field:7 >/dev/null
	local before
	before=$(digests fields:large fields:paged fields:small)
	drop --match 'fields:*'
	assert_exit 3
	assert_json '[.requested, .removed, .failed]' '[3,2,1]'
	assert_stderr_line "'fields:large' (hash whose fields have TTLs, "
	undo --yes
	assert_json '[.changes, .restored, .failed]' '[2,2,0]'
	assert_equal "$(digests fields:large fields:paged fields:small)" "$before"
	(($(rcli HPTTL fields:small FIELDS 1 field:1) > 0)) || fail 'its TTL is gone'
	(($(rcli HPTTL fields:paged FIELDS 1 field:7) > 0)) || fail 'its TTL is gone'
}

@test "another database, another server: refused unless told" {
	rcli SET call:logs:a x >/dev/null
	drop call-logs a
	undo --yes -n 3
	assert_exit 7
	assert_stderr_line 'of db 0'
	assert_stderr_line --elsewhere
	local first=$REDIS_SOCKET
	REDIS_NAME=other start_redis
	undo --yes -s "$REDIS_SOCKET"
	assert_exit 7
	assert_stderr_line 'another server'
	assert_equal "$(rcli DBSIZE)" 0
	undo --yes --elsewhere -s "$REDIS_SOCKET"
	assert_exit 0
	assert_json .restored 1
	assert_equal "$(rcli GET call:logs:a)" x
	REDIS_SOCKET=$first
	assert_equal "$(key_count)" 0
}

# of_a_newer_server FILE: every DUMP in it is of a format that is still to come; the file's checksums are right.
of_a_newer_server() {
	python3 - "$1" <<-'PYTHON'
		import struct, sys, zlib
		data = open(sys.argv[1], "rb").read()
		at = data.index(b"\n") + 1
		out = data[:at]
		while at < len(data):
		    length, number = struct.unpack_from("<IQ", data, at + 4)
		    body = bytearray(data[at + 20:at + 20 + length])
		    if body[:1] == b"D":
		        body[-10:-8] = b"\xff\xff" # before the CRC-64: the version
		    told = struct.pack("<IQ", length, number)
		    out += data[at:at + 4] + told + struct.pack("<I", zlib.crc32(told + body)) + body
		    at += 20 + length
		open(sys.argv[1], "wb").write(out)
	PYTHON
}
@test "what a newer server saved is told from a damaged file, and nothing is half written" {
	rcli MSET old:a x old:b y >/dev/null
	rcli SADD old:seen 1 2 >/dev/null
	drop --match 'old:*'
	of_a_newer_server "$file"
	undo --yes
	assert_exit 3
	assert_json '[.changes, .restored, .failed, .damaged]' '[3,0,3,0]'
	assert_stderr_line 'RESTORE: ERR DUMP payload version or checksum are wrong: the file'"'"'s server was a newer one, or of another kind; bring back there what it saved'
	undo --yes -q
	assert_exit 3
	assert_stderr_line "the file's server was a newer one"
	assert_equal "$(key_count)" 0
}

@test "a cut or altered file: nothing is restored, --salvage brings what is whole" {
	rcli DEBUG POPULATE 100 call:logs 50 >/dev/null
	drop call-logs --all --no-relations
	local whole=$DIR/whole
	cp "$file" "$whole"
	truncate -s -100 "$file"
	undo --yes
	assert_exit 7
	assert_stderr_line 'has no end'
	assert_equal "$(key_count)" 0
	undo --yes --salvage
	assert_json '.restored == .changes and .changes >= 98 and .changes < 100' true
	cp "$whole" "$file"
	printf X | dd of="$file" bs=1 seek=5000 conv=notrunc status=none
	undo --yes
	assert_exit 7
	assert_stderr_line 'is damaged at byte'
	rcli FLUSHALL >/dev/null
	undo --yes --salvage
	assert_exit 3 # what is lost is lost
	assert_json '[.restored, .damaged]' '[99,1]'
	cp "$whole" "$file"
	undo --yes
	assert_json '[.restored, .kept]' '[1,99]'
	echo nonsense >"$file"
	undo --yes
	assert_exit 2
	assert_stderr_line 'is no undo file'
	file=$DIR/none
	undo --yes
	assert_exit 2
}

@test "no terminal and no --yes: 7; words beside --undo: 2" {
	rcli SET call:logs:a x >/dev/null
	drop call-logs a
	run --separate-stderr setsid -w "$CCACHE" invalidate --undo "$file"
	assert_exit 7
	assert_stderr_line --yes
	undo call-logs --yes
	assert_exit 2
	cc_run invalidate call-logs a --salvage --yes
	assert_exit 2
	cc_run invalidate call-logs a --elsewhere --yes
	assert_exit 2
	assert_equal "$(key_count)" 0
}

@test "--backup FILE: written there, never over another; --no-backup: none" {
	rcli MSET call:logs:a 1 call:logs:b 2 call:logs:c 3 >/dev/null
	drop call-logs a --backup "$DIR/mine"
	assert_equal "$file" "$DIR/mine"
	drop call-logs b --backup "$DIR/mine"
	assert_exit 2
	assert_stderr_line 'it is there already'
	assert_equal "$(rcli GET call:logs:b)" 2
	drop call-logs b --backup "$DIR/none/file"
	assert_exit 3
	assert_equal "$(rcli GET call:logs:b)" 2
	drop call-logs b --no-backup
	assert_json '[.removed, .undo]' '[1,null]'
	drop call-logs c --no-backup --backup x
	assert_exit 2
	drop call-logs nobody # nothing saved leaves no file
	assert_json .undo null
	assert_equal "$(ls "$XDG_STATE_HOME/callcache/undo" 2>/dev/null)" ''
	XDG_STATE_HOME='' HOME='' drop call-logs c
	assert_exit 2
	assert_stderr_line '--backup FILE'
}

@test "--backup-limit refuses what it cannot save, before and in the middle" {
	rcli DEBUG POPULATE 1000 call:logs 1000 >/dev/null
	drop call-logs --all --backup-limit 100KiB
	assert_exit 7
	assert_stderr_line --backup-limit
	assert_equal "$(key_count)" 1000
	# MEMORY USAGE is not allowed: the limit is met on the way
	rcli ACL SETUSER default -memory >/dev/null
	drop call-logs --all --backup-limit 50KiB
	assert_exit 7
	local removed
	removed=$(rcli DBSIZE)
	undo --yes
	assert_json '.restored == .changes and .changes > 0 and .changes < 1000' true
	assert_equal "$(key_count)" 1000
}

@test "a disk that is full: nothing is dropped that is not saved" {
	rcli DEBUG POPULATE 2000 call:logs 1000 >/dev/null
	local before
	before=$(rcli DEBUG DIGEST)
	# the file may grow to 100 blocks of 1 KiB
	run --separate-stderr bash -c "trap '' XFSZ; ulimit -f 100; exec '$CCACHE' invalidate call-logs --all --yes -o json"
	assert_exit 3
	assert_adds_up
	assert_stderr_line 'File too large'
	assert_json .complete false
	file=$(jq -r .undo <<<"$output")
	undo --yes --salvage
	assert_equal "$(rcli DEL cc:c:call-logs)" 1
	assert_equal "$(rcli DEBUG DIGEST)" "$before"
}

@test "a stream too large to be saved whole stays, named; a smaller one comes back" {
	rcli EVAL "for i = 1, 10 do redis.call('XADD', KEYS[1], '*', 'f', string.rep('x', 1000000)) redis.call('XADD', KEYS[2], i .. '-1', 'f', string.rep('x', 100000)) end" \
		2 events:large events:small >/dev/null
	local before
	before=$(digests events:large events:small)
	drop --match 'events:*' --key call:logs:a
	assert_exit 2
	drop --match 'events:*'
	assert_exit 3
	assert_json '[.requested, .removed, .failed]' '[2,1,1]'
	assert_stderr_line "'events:large' (stream, "
	assert_stderr_line '--no-backup drops it unsaved'
	assert_equal "$(rcli EXISTS events:large events:small)" 1
	undo --yes
	assert_json .restored 1
	assert_equal "$(digests events:large events:small)" "$before"
	drop --match 'events:*' --no-backup
	assert_exit 0
	assert_json .removed 2
}

# A client that waits for the pause's end with that command.
waits_with() { rcli CLIENT LIST | grep -q "flags=[a-zA-Z]*b[a-zA-Z]* .*cmd=$1 "; }

@test "a value written between save and removal is never dropped unsaved" {
	rcli SET call:logs:a old >/dev/null
	# writes wait, reads do not: the application's write stands in line before the removal of what was saved
	rcli CLIENT PAUSE 100000 WRITE >/dev/null
	in_background application redis-cli -s "$REDIS_SOCKET" SET call:logs:a new
	wait_for --for 60 waits_with set
	"$CCACHE" invalidate call-logs a --yes -o json --timeout 100s >"$DIR/out" &
	local pid=$!
	wait_for --for 60 waits_with unlink
	rcli CLIENT UNPAUSE >/dev/null
	wait $pid
	output=$(<"$DIR/out")
	assert_adds_up
	assert_json .removed 1
	file=$(jq -r .undo <<<"$output")
	assert_equal "$(rcli EXISTS call:logs:a)" 0
	undo --yes
	assert_json '[.changes, .restored]' '[1,1]'
	assert_equal "$(rcli GET call:logs:a)" new
}

@test "a writer racing the run: what is gone is in the file as it was last" {
	rcli DEBUG POPULATE 2000 call:logs 10 >/dev/null
	# gives every key a new value at once, over and over, while they are dropped
	cat >"$DIR/writer" <<-'LUA'
		for i = 0, 1999 do redis.call('SET', 'call:logs:' .. i, 'written ' .. ARGV[1]) end
		redis.call('SET', 'last', 'written ' .. ARGV[1])
	LUA
	in_background writer.log bash -c "n=0; while :; do n=\$((n + 1)); redis-cli -s '$REDIS_SOCKET' EVAL \"\$(cat '$DIR/writer')\" 0 \$n; done"
	local writer=$STARTED
	wait_for --for 60 written
	drop call-logs --all
	stop "$writer"
	undo --yes
	assert_exit 0
	assert_json .failed 0
	assert_equal "$(key_count 'call:logs:*')" 2000
	assert_equal "$(rcli --scan --pattern 'call:logs:*' | sed 's/^/GET /' | rcli | sort -u)" "$(rcli GET last)"
}
written() { [[ $(rcli GET call:logs:1999) == written* ]]; }

@test "killed in the middle: the file is readable, --resume goes on, --undo brings all back" {
	rcli DEBUG POPULATE 1000 call:logs 100 >/dev/null
	local before
	before=$(rcli DEBUG DIGEST)
	file=$DIR/killed
	# after its first batch it waits for minutes
	"$CCACHE" invalidate call-logs --all --yes --throttle 1/s --backup "$file" -o json >/dev/null 2>&1 &
	local pid=$!
	wait_for --for 60 fewer_than 1000
	kill -KILL $pid
	wait $pid || true
	(($(key_count) > 0)) || fail 'it did not wait'
	undo --yes
	assert_exit 7
	cc_run invalidate --resume "$file" --yes -o json
	assert_exit 0
	assert_adds_up
	assert_json '[.complete, .undo]' "[true,\"$file\"]"
	assert_equal "$(key_count)" 0
	undo --yes
	assert_json '[.changes, .failed]' '[1000,0]'
	rcli DEL cc:c:call-logs >/dev/null
	assert_equal "$(rcli DEBUG DIGEST)" "$before"
}
fewer_than() { (($(db_size) < $1)); }

@test "--resume: only on the same run of the server, and only its own selection" {
	rcli MSET call:logs:a 1 call:logs:b 2 >/dev/null
	drop call-logs a
	cc_run invalidate --resume "$file" call-logs --yes
	assert_exit 2
	cc_run invalidate --resume "$file" --yes -o json # what it chose is gone
	assert_exit 0
	assert_json '[.removed, .gone]' '[0,1]'
	REDIS_NAME=other start_redis
	cc_run invalidate --resume "$file" --yes -u "unix://$REDIS_SOCKET"
	assert_exit 7
	assert_stderr_line 'start the run anew'
	cc_run invalidate --resume "$DIR/none" --yes
	assert_exit 2
}
