#!/usr/bin/env bats
# Reaching a Redis, and every way in which that fails: one line that names the
# server and the remedy, exit code 4, nothing half-done.
load helpers

VALUE=call:logs:507f1f77bcf86cd799439011

# fails_with STATUS LINE ARGS…: exactly this line on stderr, nothing on stdout.
fails_with() {
	local expected=$1 line=$2
	shift 2
	cc_run "$@"
	assert_exit "$expected"
	assert_equal "$stderr" "ccache: error: $line"
	assert_equal "$output" ''
}

# serve_once NAME SHELL_COMMAND: a TCP server that runs it for each connection; its port in PORT.
port_open_here() { port_is_open "$PORT"; }
serve() { start_on_port PORT "$1.log" port_open_here socat "TCP-LISTEN:@PORT@,bind=127.0.0.1,fork,reuseaddr" "SYSTEM:$2"; }

# --- nobody there ---

@test "connection refused: every verb names the server and exits with 4" {
	local port verb
	port=$(free_port)
	local line="redis 127.0.0.1:$port/0: connection refused: is a server listening there?"
	for verb in 'ping' 'inspect' 'inspect --key a' 'inspect call-logs' 'stats' 'warm --all' 'warm call-logs a' \
		'invalidate --key a --yes' 'invalidate --match a* --dry-run'; do
		# shellcheck disable=SC2086 # the words of the verb
		fails_with 4 "$line" -p "$port" $verb
	done
}

@test "no Redis: get asks the source, says so, and gives the same bytes and exit code" {
	start_system
	"$CCACHE" get call-logs 507f1f77bcf86cd799439011 >"$DIR/with"
	REDIS_URL=unix://$DIR/none.sock cc_run get call-logs 507f1f77bcf86cd799439011
	assert_exit 0
	assert_equal "$output" "$(cat "$DIR/with")"
	assert_equal "$stderr" "ccache: warning: redis unix:$DIR/none.sock/0: no such socket: is the server running, and is this its 'unixsocket' path?; the source answered"
}

@test "neither Redis nor source: get tells both and exits with 4" {
	export CALLS_API_URL=http://127.0.0.1:$(free_port) REDIS_URL=unix://$DIR/none.sock
	cc_run get call-logs 507f1f77bcf86cd799439011
	assert_exit 4
	assert_stderr_line "ccache: warning: redis unix:$DIR/none.sock/0: no such socket"
	assert_stderr_line "ccache: error: calls-api: GET $CALLS_API_URL/api/calls/507f1f77bcf86cd799439011/logs"
	assert_equal "$output" ''
}

@test "a missing unix socket" {
	fails_with 4 "redis unix:$DIR/none.sock/0: no such socket: is the server running, and is this its 'unixsocket' path?" \
		-s "$DIR/none.sock" ping
}

@test "a host name that is not known" {
	fails_with 4 'redis no-such-host.invalid:6379/0: the host name is not known: check its spelling' \
		-h no-such-host.invalid --timeout 5s inspect
}

@test "a host that swallows packets: gives up after --timeout" {
	# a stopped server whose backlog is full drops further connections
	TCP=1 start_redis --tcp-backlog 1
	kill -STOP "$REDIS_PID"
	local fill=() i
	for i in 1 2 3 4 5; do
		timeout 20 bash -c "exec 9<>/dev/tcp/127.0.0.1/$REDIS_TCP_PORT && read -r -u 9" 3>&- 4>&- &
		fill+=($!)
	done
	# /proc/net/tcp shows how many wait on a listening (0A) socket; two are one more than the backlog
	backlog_full() { grep -qiE "^ *[0-9]+: 0100007F:$(printf %04X "$REDIS_TCP_PORT") [0-9A-F:]+ 0A [0-9A-F]+:0*[2-9] " /proc/net/tcp; }
	wait_for backlog_full
	cc_run -p "$REDIS_TCP_PORT" --timeout 300ms ping
	kill "${fill[@]}"
	assert_exit 4
	assert_equal "$stderr" "ccache: error: redis 127.0.0.1:$REDIS_TCP_PORT/0: no connection within 300ms: check host, port and firewall, or raise --timeout"
}

# Whatever the verb: the guard is a minute, a hang would be for ever.
@test "a server that stands still: no verb waits for longer than --timeout, and each names it" {
	TCP=1 start_redis
	export REDIS_URL=redis://127.0.0.1:$REDIS_TCP_PORT CALLCACHE_PROFILE=call-logs
	kill -STOP "$REDIS_PID"
	local verb words
	for verb in ping 'get call-logs 507f1f77bcf86cd799439011 --no-fetch' 'warm call-logs' inspect 'inspect --replica-reads' \
		'invalidate --key a --yes' 'invalidate call-logs --all --yes' stats 'stats --sample 1s' 'bench --max --requests 10' \
		'config discover' 'repl -e ping'; do
		read -ra words <<<"$verb"
		run --separate-stderr timeout 60 "$CCACHE" --timeout 200ms "${words[@]}" </dev/null
		echo "# $verb"
		assert_exit 4
		assert_stderr_line "127.0.0.1:$REDIS_TCP_PORT/0: connected, but no answer within 200ms"
	done
}

# --- it is not a Redis ---

@test "an HTTP server on that port" {
	start_nginx ''
	fails_with 4 "redis 127.0.0.1:$NGINX_PORT/0: not a Redis server: it answered 'HTTP/1.1 400 Bad Request'" \
		-p "$NGINX_PORT" invalidate --key a --yes
}

@test "a server that sends garbage never reaches the terminal raw" {
	printf '\033[31m\007junk\r\n' >junk
	serve garbage 'cat junk; exec cat >/dev/null'
	cc_run -p "$PORT" inspect
	assert_exit 4
	assert_equal "$stderr" "ccache: error: redis 127.0.0.1:$PORT/0: not a Redis server: it answered '\\x1b[31m\\x07junk'"
}

@test "a server that accepts and never answers" {
	serve silent 'exec sleep 60'
	fails_with 4 "redis 127.0.0.1:$PORT/0: connected, but no answer within 2s: is this a Redis (a TLS port needs --tls)?" \
		-p "$PORT" --timeout 2s stats
}

@test "a server that closes at once" {
	serve closing 'exit 0'
	cc_run -p "$PORT" inspect
	assert_exit 4
	assert_equal "$stderr" "ccache: error: redis 127.0.0.1:$PORT/0: the server hung up before it answered: is this a Redis? (a TLS port needs --tls)"
}

# --- it refuses ---

@test "no password, a wrong one, the right one" {
	TCP=1 start_redis --requirepass sesame
	fails_with 4 "redis 127.0.0.1:$REDIS_TCP_PORT/0: NOAUTH Authentication required: give the password with --askpass or REDISCLI_AUTH" \
		-p "$REDIS_TCP_PORT" inspect
	fails_with 4 "redis 127.0.0.1:$REDIS_TCP_PORT/0: WRONGPASS invalid username-password pair or user is disabled: check --user, and the password (--askpass or REDISCLI_AUTH)" \
		-p "$REDIS_TCP_PORT" -a wrong warm --all
	cc_run -p "$REDIS_TCP_PORT" -a sesame inspect
	assert_exit 0
	assert_no_stderr
}

@test "a user without rights: command, key and remedy are named, nothing is dropped" {
	start_redis
	rcli ACL SETUSER ops on '>pw' '~call:*' +@read +@connection
	rcli SET "$VALUE" x EX 100
	export REDIS_URL=unix://ops:pw@$REDIS_SOCKET
	cc_run invalidate --key "$VALUE" --yes
	assert_exit 4
	assert_stderr_line "ccache: error: redis unix:$REDIS_SOCKET/0: NOPERM: this user may not run 'WATCH' on '$VALUE' (ACL SETUSER ops +WATCH ~$VALUE)"
	cc_run invalidate --key "$VALUE" --yes --no-backup
	assert_exit 4
	assert_stderr_line "ccache: error: redis unix:$REDIS_SOCKET/0: NOPERM: this user may not run 'UNLINK' on '$VALUE' (ACL SETUSER ops +UNLINK ~$VALUE)"
	cc_run invalidate call-logs --all --yes --no-backup -o json
	assert_exit 4
	assert_stderr_line "NOPERM: this user may not run 'UNLINK' on 'call:logs:*' (ACL SETUSER ops +UNLINK ~call:logs:*)"
	assert_json '[.removed, .failed, .complete]' '[0,1,false]'
	assert_equal "$(rcli EXISTS "$VALUE")" 1
	fails_with 4 "redis unix:$REDIS_SOCKET/0: NOPERM: this user may not run 'OBJECT' on 'other' (ACL SETUSER ops +OBJECT ~other)" \
		inspect --key other
}

@test "a user without INFO: stats says what it could not learn and goes on" {
	start_redis
	rcli ACL SETUSER ops on '>pw' '~*' +@read +@connection -info
	rcli SET "$VALUE" x EX 100
	REDIS_URL=unix://ops:pw@$REDIS_SOCKET cc_run stats --scan -o json
	assert_exit 0
	assert_equal "$stderr" $'ccache: warning: this user may not run INFO: no figures of the server but what can be counted\nccache: warning: this user may not run SLOWLOG: no slow commands'
	assert_json '.namespaces[] | select(.namespace == "call-logs").keys' 1
}

@test "warm by a user who may not write: one line, exit 4, nothing stored" {
	start_system
	rcli ACL SETUSER ops on '>pw' '~*' +@read +@connection
	REDIS_URL=unix://ops:pw@$REDIS_SOCKET cc_run warm call-logs 507f1f77bcf86cd799439011
	assert_exit 4
	assert_stderr_line "NOPERM: this user may not run 'SET' on '$VALUE' (ACL SETUSER ops +SET ~$VALUE)"
	assert_equal "$(rcli DBSIZE)" 0
}

@test "a db that is not there" {
	start_redis
	fails_with 4 "redis unix:$REDIS_SOCKET/99: ERR DB index is out of range: check the db number (--db, the URL's /N, the server's 'databases')" \
		-s "$REDIS_SOCKET" -n 99 invalidate --key a --yes
}

@test "maxclients" {
	TCP=1 start_redis --maxclients 1
	exec 8<>"/dev/tcp/127.0.0.1/$REDIS_TCP_PORT"
	printf 'PING\r\n' >&8
	local answer
	read -r -t 5 answer <&8
	assert_equal "$answer" $'+PONG\r'
	cc_run -p "$REDIS_TCP_PORT" ping
	exec 8>&-
	assert_exit 4
	assert_equal "$stderr" "ccache: error: redis 127.0.0.1:$REDIS_TCP_PORT/0: ERR max number of clients reached: raise the server's maxclients, or close idle clients"
}

@test "the server's password may be wrong only once: no second try" {
	start_redis --requirepass sesame
	cc_run -s "$REDIS_SOCKET" -a wrong stats
	assert_exit 4
	assert_equal "$(REDISCLI_AUTH=sesame rcli --json ACL LOG | jq -c 'map(.count)')" '[1]'
}

# --- which one: options over environment over configuration ---

# target_of ARGS…: what ping says it reached.
target_of() {
	cc_run "$@" ping -o json
	assert_exit 0
	target=$(jq -r .target <<<"$output")
}

@test "REDIS_URL, REDIS_HOST and the rest" {
	REDIS_NAME=one TCP=1 start_redis --requirepass pw
	local one=$REDIS_TCP_PORT
	REDIS_NAME=two TCP=1 start_redis
	local two=$REDIS_TCP_PORT

	REDIS_URL=redis://:pw@127.0.0.1:$one/3 target_of
	assert_equal "$target" "127.0.0.1:$one/3"
	assert_no_stderr
	REDIS_URL=redis://:pw@127.0.0.1:$one/3 REDIS_PORT=$two target_of
	assert_equal "$target" "127.0.0.1:$one/3"
	assert_equal "$stderr" 'ccache: warning: REDIS_URL and REDIS_PORT are both set; REDIS_URL counts'
	REDIS_URL=redis://:pw@127.0.0.1:$one/3 REDIS_DB=4 target_of
	assert_equal "$target" "127.0.0.1:$one/3"
	assert_equal "$stderr" 'ccache: warning: REDIS_URL and REDIS_DB are both set; REDIS_URL counts'
	REDIS_URL=redis://:pw@127.0.0.1:$one REDIS_PASSWORD=bad target_of
	assert_equal "$stderr" 'ccache: warning: REDIS_URL and REDIS_PASSWORD are both set; REDIS_URL counts'
	REDIS_URL=redis://:pw@127.0.0.1:$one REDIS_PASSWORD=bad REDISCLI_AUTH=bad target_of
	assert_equal "$stderr" 'ccache: warning: REDIS_URL and REDISCLI_AUTH are both set; REDIS_URL counts'
	REDIS_URL=redis://default:pw@127.0.0.1:$one REDIS_USERNAME=bad target_of
	assert_equal "$stderr" 'ccache: warning: REDIS_URL and REDIS_USERNAME are both set; REDIS_URL counts'
	REDIS_URL=redis://127.0.0.1:$one REDIS_USERNAME=default REDIS_PASSWORD=pw target_of
	assert_no_stderr
	REDIS_HOST=127.0.0.1 REDIS_PORT=$one REDIS_DB=5 REDIS_PASSWORD=pw target_of
	assert_equal "$target" "127.0.0.1:$one/5"
	assert_no_stderr
	REDIS_PORT=$one REDIS_USERNAME=default REDIS_PASSWORD=pw target_of
	REDIS_PORT=$one REDIS_PASSWORD=bad REDISCLI_AUTH=pw target_of
	REDIS_URL=redis://:bad@127.0.0.1:$one target_of -a pw
	REDIS_URL=redis://:pw@127.0.0.1:$one target_of -p "$two" -a ''
	assert_equal "$target" "127.0.0.1:$two/0"
	REDIS_URL=redis://127.0.0.1:$one target_of -s "$REDIS_SOCKET" -n 2
	assert_equal "$target" "unix:$REDIS_SOCKET/2"
	REDIS_HOST=127.0.0.1 REDIS_PORT=$two target_of -u "redis://:pw@127.0.0.1:$one/1"
	assert_equal "$target" "127.0.0.1:$one/1"
}

@test "the configuration's Redis yields to the environment, and that to options" {
	REDIS_NAME=one start_redis
	local one=$REDIS_SOCKET
	REDIS_NAME=two start_redis
	local two=$REDIS_SOCKET
	cat >"$DIR/c.json" <<-JSON
		{ "redis": { "url": "unix://$one?db=1" }, "namespaces": { "a": { "key": "a:{x}", "ttl": 5 } } }
	JSON
	export CALLCACHE_CONFIG=$DIR/c.json
	target_of_inspect() {
		cc_run "$@" inspect -o json
		assert_exit 0
		target=$(jq -r .target <<<"$output")
	}
	target_of_inspect
	assert_equal "$target" "unix:$one/1"
	target_of
	assert_equal "$target" "unix:$one/1"
	export REDIS_URL=unix://$two?db=2
	target_of_inspect
	assert_equal "$target" "unix:$two/2"
	target_of_inspect -n 3
	assert_equal "$target" "unix:$two/3"
}

@test "bad environment and contradicting options are usage errors" {
	REDIS_PORT=abc fails_with 2 "REDIS_PORT is 'abc': not a number from 1 to 65535" ping
	REDIS_PORT=0 fails_with 2 "REDIS_PORT is '0': not a number from 1 to 65535" ping
	REDIS_DB=-1 fails_with 2 "REDIS_DB is '-1': not a number from 0 to 1048576" ping
	REDIS_ENABLED=maybe fails_with 2 "REDIS_ENABLED is 'maybe': write true or false" inspect
	REDIS_URL=http://127.0.0.1 fails_with 2 'REDIS_URL: redis URL: unknown scheme (redis:// rediss:// valkey:// valkeys:// unix:// redis-socket:// redis+unix:// redis-sentinel:// rediss-sentinel://)' ping
	REDIS_URL=redis://:geheim@127.0.0.1:abc fails_with 2 'REDIS_URL: redis URL: the port is not a number from 1 to 65535' ping
	REDIS_URL=redis-sentinel://h1,h2/0 fails_with 2 'REDIS_URL: redis URL: which primary the sentinels are asked for is missing: redis-sentinel://HOST:26379,HOST/DB?sentinelMasterId=NAME' ping
	fails_with 2 '--socket and --host exclude each other' -s x -h y ping
	fails_with 2 '--uri and --port exclude each other' -u redis://127.0.0.1 -p 1 ping
	fails_with 2 '--uri and --socket exclude each other' -u redis://127.0.0.1 -s x ping
}

@test "http_proxy and friends in the environment do not count" {
	TCP=1 start_redis
	local dead
	dead=http://127.0.0.1:$(free_port)
	http_proxy=$dead https_proxy=$dead HTTPS_PROXY=$dead ALL_PROXY=$dead all_proxy=$dead cc_run -p "$REDIS_TCP_PORT" ping
	assert_exit 0
}

@test "IPv6" {
	start_redis
	(exec 9<>"/dev/tcp/::1/1") 2>&1 | grep -q 'refused' || skip 'no IPv6 loopback here'
	v6_up() { (exec 9<>"/dev/tcp/::1/$V6_PORT") 2>/dev/null; }
	start_on_port V6_PORT v6.log v6_up redis-server --port @PORT@ --bind ::1 --save ''
	target_of -h ::1 -p "$V6_PORT"
	assert_equal "$target" "[::1]:$V6_PORT/0"
	target_of -u "redis://[::1]:$V6_PORT/2"
	assert_equal "$target" "[::1]:$V6_PORT/2"
}

# --- REDIS_ENABLED=false ---

@test "REDIS_ENABLED=false: get goes to the source without a word" {
	start_system
	REDIS_ENABLED=false cc_run get call-logs 507f1f77bcf86cd799439011 --meta
	assert_exit 0
	assert_no_stderr
	assert_json .meta.cacheHit false
	assert_equal "$(rcli DBSIZE)" 0
	assert_equal "$(upstream_count)" 2 # the page and the ids that it is filtered by
}

@test "REDIS_ENABLED=false: what writes says once that it does nothing, what looks exits with 4" {
	start_system
	rcli SET "$VALUE" x EX 100
	export REDIS_ENABLED=false
	local verb
	for verb in 'warm --all' 'warm call-logs' "invalidate --key $VALUE --yes" 'invalidate call-logs --all --yes'; do
		# shellcheck disable=SC2086 # the words of the verb
		cc_run $verb
		assert_exit 0
		assert_equal "$stderr" "ccache: REDIS_ENABLED=false: ${verb%% *} does nothing"
		assert_equal "$output" ''
	done
	for verb in inspect 'inspect --key a' stats; do
		# shellcheck disable=SC2086 # the words of the verb
		fails_with 4 "REDIS_ENABLED=false: ${verb%% *} has nothing to look at; unset it to work on unix:$REDIS_SOCKET/0" $verb
	done
	assert_equal "$(rcli DBSIZE)" 1
	assert_equal "$(upstream_count)" 0
	unset REDIS_ENABLED
	REDIS_ENABLED=0 cc_run -q warm --all
	assert_exit 0
	assert_no_stderr
}

# --- secrets ---

@test "a password never stands in what is printed, nor in the argument vector" {
	serve silent 'exec sleep 60'
	local args
	for args in "-p $PORT -a geheim1234 --timeout 60s inspect" "-u redis://user:geheim1234@127.0.0.1:$PORT inspect --timeout 60s" \
		"inspect -p $PORT --pass=geheim1234 --timeout 60s" "inspect -p $PORT -ageheim1234 --timeout 60s"; do
		# shellcheck disable=SC2086 # words
		in_background secret.log "$CCACHE" $args
		local pid=$STARTED
		connected() { [[ $(readlink /proc/"$pid"/fd/* 2>/dev/null) == *socket:* ]]; }
		wait_for connected
		run tr '\0' ' ' <"/proc/$pid/cmdline"
		assert_output --partial inspect
		refute_output --partial geheim
		kill -TERM "$pid"
		wait_for gone "$pid"
		run cat "$DIR/secret.log"
		refute_output --partial geheim
	done
}

@test "errors about a URL never show its password" {
	local url
	for url in redis://u:geheim@127.0.0.1:1/x redis://u:geheim@:x redis://u:geheim%zz@h 'redis://u:geheim@h/0?db=q' u:geheim@h \
		http://u:geheim@h redis://u:geheim@127.0.0.1:1; do
		cc_run -u "$url" --log-level debug ping
		refute_stderr_line geheim
		assert_equal "$output" ''
		REDIS_URL=$url cc_run ping
		refute_stderr_line geheim
	done
}

# --- on a pseudo terminal ---

@test "--askpass asks on the terminal and does not echo" {
	start_redis --requirepass sesame
	start_terminal 100 20 \
		"$CCACHE -s $REDIS_SOCKET --askpass ping -o json >$DIR/out 2>$DIR/err; echo \$? >$DIR/code"
	wait_for screen_shows 'Redis password:'
	type_keys sesame Enter
	wait_for test -s "$DIR/code"
	local shown
	shown=$(screen)
	assert_equal "$(cat "$DIR/code")" 0
	assert_equal "$(jq -r .schema "$DIR/out")" ccache.ping/1
	[[ $shown != *sesame* ]] || fail "echoed: $shown"
}

@test "--askpass is asked whatever the environment and a URL say, and never beside --pass" {
	start_redis --requirepass sesame
	start_terminal 100 20 \
		"REDIS_PASSWORD=bad REDIS_URL=unix://:bad@$REDIS_SOCKET $CCACHE --askpass ping -o json >$DIR/out 2>$DIR/err; echo \$? >$DIR/code"
	wait_for screen_shows 'Redis password:'
	type_keys sesame Enter
	wait_for test -s "$DIR/code"
	assert_equal "$(cat "$DIR/code")" 0
	fails_with 2 '--askpass and --pass exclude each other' --askpass -a sesame ping
}

@test "--askpass without a terminal says what to do instead" {
	run --separate-stderr setsid "$CCACHE" --askpass ping </dev/null
	assert_exit 2
	assert_equal "$stderr" 'ccache: error: --askpass: there is no terminal to ask on; set REDISCLI_AUTH'
}

# --- proxies ---

@test "--proxy: the connection goes through SOCKS" {
	TCP=1 start_redis
	start_socks
	cc_run --proxy "$SOCKS_URL" -p "$REDIS_TCP_PORT" ping
	assert_exit 0
	run cat "$DIR/socks.log"
	assert_output --partial "connected to 127.0.0.1:$REDIS_TCP_PORT"
	local dead
	dead=$(free_port)
	fails_with 4 "redis 127.0.0.1:$REDIS_TCP_PORT/0: connection refused: is the proxy listening there?" \
		--proxy "socks5h://127.0.0.1:$dead" -p "$REDIS_TCP_PORT" ping
}

@test "--proxy: its password counts and is never shown" {
	TCP=1 start_redis
	start_socks joe geheim
	cc_run --proxy "$SOCKS_URL" -p "$REDIS_TCP_PORT" ping
	assert_exit 0
	cc_run --proxy "socks5h://joe:falsch99@127.0.0.1:$SOCKS_PORT" -p "$REDIS_TCP_PORT" ping
	assert_exit 4
	assert_stderr_line 'the proxy refused the connection'
	refute_stderr_line falsch99
}

# --- the connection itself ---

@test "CLIENT LIST names us" {
	start_redis
	start_upstream
	use_upstream
	fault hold
	in_background warm.log "$CCACHE" -s "$REDIS_SOCKET" warm call-logs 507f1f77bcf86cd799439011
	named() { rcli CLIENT LIST | grep -q 'name=ccache '; }
	wait_for named
}

@test "the server restarts while a run waits for the source: it reconnects and stores" {
	start_system
	fault hold
	in_background warm.log "$CCACHE" warm call-logs 507f1f77bcf86cd799439011
	local warm=$STARTED
	was_asked() { (($(upstream_count) > 0)); }
	wait_for was_asked
	stop_redis
	start_redis
	no_faults
	wait_for gone "$warm"
	run cat "$DIR/warm.log"
	assert_output --partial 'Stored     1'
	assert_equal "$(rcli EXISTS "$VALUE")" 1
}

@test "a lone -h is help, -h HOST is a host" {
	cc_run -h
	assert_exit 0
	assert_output --partial 'Usage: ccache [options] VERB'
	cc_run ping -h
	assert_exit 0
	assert_output --partial 'Usage: ccache ping'
}
