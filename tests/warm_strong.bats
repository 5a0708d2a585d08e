#!/usr/bin/env bats
# warm: what is fetched again, what is written, who may write, and when it ends.

load helpers
load verbs

setup() {
	sandbox
	start_system
	api_config "$THING"
	things 3
}

things() { serve_things "$1" '"n":9007199254740993'; }

# own_keys: the program's own keys that are there.
own_keys() { rcli --scan --pattern 'cc:[^c]*' | grep -c . || true; } # its counters left out
asked() { upstream_count "$1"; }
was_asked() { (($(asked "$1") > 0)); }
has_token() { [[ $(rcli --scan --pattern 'cc:m:*' | xargs -r redis-cli -s "$REDIS_SOCKET" MGET) == *f:* ]]; }

@test "a second warm asks conditionally: 304 renews the TTL and writes nothing" {
	warm thing
	assert_json '[.stored, .renewed]' '[3,0]'
	rcli PEXPIRE thing:1 100000 >/dev/null
	warm thing
	assert_exit 0
	assert_json '[.stored, .renewed, .not_modified, .bytes]' '[0,3,3,0]'
	(($(rcli PTTL thing:1) > 200000))
	assert_equal "$(value_of thing:1)" '{"id":"1","n":9007199254740993}'
}

@test "a 304 does not renew what an application wrote: it is fetched in full" {
	warm thing 1
	rcli SET thing:1 theirs >/dev/null
	warm thing 1
	assert_exit 0
	assert_json '[.stored, .renewed, .not_modified]' '[1,0,1]'
	assert_equal "$(value_of thing:1)" '{"id":"1","n":9007199254740993}'
}

@test "changed data is stored, with its new ETag" {
	warm thing 1
	set_data /things/1 '{"id":"1","n":2}'
	warm thing 1
	assert_json '[.stored, .not_modified]' '[1,0]'
	warm thing 1
	assert_json '[.renewed, .not_modified]' '[1,1]'
	assert_equal "$(value_of thing:1)" '{"id":"1","n":2}'
}

@test "--if always: in full, written anew; --if missing: only what is not there" {
	warm thing
	warm thing --if always
	assert_json '[.stored, .renewed, .not_modified]' '[3,0,0]'
	rcli DEL thing:2 >/dev/null
	curl -fsS -X DELETE "$UPSTREAM_URL/_count" >/dev/null
	warm thing --if missing
	assert_json '[.stored, .skipped_fresh]' '[1,2]'
	assert_equal "$(asked /things/1) $(asked /things/2)" '0 1'
}

@test "--existing --expiring: only cached keys, only those about to go" {
	warm thing 1 2
	rcli PEXPIRE thing:2 50000 >/dev/null
	warm thing --existing --expiring 60s
	assert_exit 0
	assert_json '[.requested, .renewed, .skipped_fresh]' '[2,1,1]'
	assert_equal "$(rcli EXISTS thing:3)" 0
	(($(rcli PTTL thing:2) > 200000))
}

@test "--expiring says which policy: it goes with no other" {
	warm thing 1
	local policy
	for policy in always missing changed; do
		cc_run warm thing 1 --if "$policy" --expiring 10m
		assert_exit 2
		assert_stderr_line "it does not go with --if $policy"
	done
	warm thing 1 --if expiring --expiring 10m
	assert_json '[.renewed, .skipped_fresh]' '[1,0]'
	warm thing 1 --if expiring # a fifth of the TTL
	assert_json '[.renewed, .skipped_fresh]' '[0,1]'
	for policy in '--if always' '--expiring 5s'; do
		# shellcheck disable=SC2086 # two words
		cc_run warm --from rows $policy
		assert_exit 2
	done
}

# A fetch of thing 1 is under way; then the thing is dropped, and the fetch goes on.
begin_fetch() {
	fault hold path=/things/1
	in_background warm.out "$CCACHE" warm -o json thing 1
	wait_for was_asked /things/1
}
overtake_fetch() {
	cc_run invalidate thing 1 --yes
	assert_exit 0
	no_faults
	wait "$STARTED"
	output=$(<"$DIR/warm.out")
	assert_json '[.stored, .skipped_overtaken]' '[0,1]'
	assert_equal "$(rcli EXISTS thing:1)" 0
	assert_equal "$(own_keys)" 0
}

@test "fencing: a fetch that began before an invalidation never writes" {
	begin_fetch
	assert has_token
	overtake_fetch
}

@test "fencing: neither does a read-through" {
	fault hold path=/things/1
	in_background get.out "$CCACHE" get --meta thing 1
	local pid=$STARTED
	wait_for was_asked /things/1
	assert has_token
	cc_run invalidate thing 1 --yes
	no_faults
	wait "$pid"
	output=$(<"$DIR/get.out")
	assert_json '[.success, .meta.stored]' '[true,false]'
	assert_equal "$(rcli EXISTS thing:1)" 0
}

@test "no token stays behind a fetch that brings nothing" {
	fault status path=/things/2 value=500
	warm thing 1 2 nowhere
	assert_exit 3
	assert_json '[.stored, .failed, .absent]' '[1,1,1]'
	assert_equal "$(own_keys)" 1 # the sidecar of what was stored
}

@test "a lease: a second run leaves with 6 and says who holds it" {
	fault hold path=/things/1
	in_background first.out "$CCACHE" warm -o json thing
	local pid=$STARTED
	wait_for was_asked /things/1
	assert has_lease
	warm_alone 6
	assert_stderr_line "another run holds 'warm:thing:list': host $(hostname), pid $pid"
	cc_run warm thing --if-locked=ok
	assert_exit 0
	cc_run warm thing 2 # single ids need none
	assert_exit 0
	no_faults
	wait "$pid"
	assert_equal "$(rcli EXISTS cc:l:warm:thing:list)" 0
	warm_alone 0
}

has_lease() { (($(rcli EXISTS cc:l:warm:thing:list) == 1)); }
warm_alone() {
	cc_run warm thing
	assert_exit "$1"
}

@test "a dead holder's lease ends; a lease that is lost stops the writing" {
	fault hold path=/things/1
	in_background first.out "$CCACHE" warm thing
	wait_for was_asked /things/1
	kill -KILL "$STARTED"
	wait_for gone "$STARTED"
	no_faults
	warm_alone 6
	[[ $stderr =~ "pid $STARTED, for "[0-9.a-z]+"; that process is gone, and its lease ends by itself in "[0-9]+s ]] || fail "$stderr"
	rcli PEXPIRE cc:l:warm:thing:list 1 >/dev/null
	wait_for lease_is_gone
	warm_alone 0
}

lease_is_gone() { ! has_lease; }

@test "kill -9 in the middle: the next run fetches only what is missing" {
	things 40
	fault hold path=/things/40
	in_background first.out "$CCACHE" warm thing
	wait_for enough_keys
	wait_for was_asked /things/40
	kill -KILL "$STARTED"
	wait_for gone "$STARTED"
	wait_for left # what it had sent is carried out
	no_faults
	rcli DEL cc:l:warm:thing:list >/dev/null
	curl -fsS -X DELETE "$UPSTREAM_URL/_count" >/dev/null
	local there
	there=$(key_count 'thing:*')
	warm thing --if missing
	assert_exit 0
	assert_json '[.stored, .skipped_fresh]' "[$((40 - there)),$there]"
	assert_equal "$(asked /things/40)" 1
}

left() { [[ $(rcli CLIENT LIST) != *name=ccache* ]]; }
enough_keys() { (($(key_count 'thing:*') >= 20)); }

@test "SIGTERM stops at once though the source hangs, with a summary that is true" {
	things 40
	fault hold path=/things/3 # for ever
	in_background out "$CCACHE" warm -o json thing
	local pid=$STARTED status=0
	wait_for enough_keys
	kill -TERM "$pid"
	wait_for gone "$pid"
	wait "$pid" || status=$?
	assert_equal "$status" 143
	output=$(grep '^[{]' -A999 "$DIR/out" | sed '/^ccache:/d')
	assert_json .stored "$(key_count 'thing:*')"
	assert_equal "$(rcli EXISTS cc:l:warm:thing:list)" 0
}

@test "--deadline: what is begun ends, the rest is not begun, exit 3" {
	fault hold path=/things # the list is late
	"$CCACHE" warm -o json thing --deadline 1ms >"$DIR/out" 2>"$DIR/err" 3>&- 4>&- &
	STARTED=$!
	PIDS+=("$STARTED")
	wait_for gone_or_asked /things
	no_faults
	status=0
	wait "$STARTED" || status=$?
	output=$(<"$DIR/out") stderr=$(<"$DIR/err")
	assert_adds_up
	assert_exit 3
	assert_stderr_line 'the deadline came: not every item had its turn'
	assert_json .requested 0
}

gone_or_asked() { gone "$STARTED" || was_asked "$1"; }

@test "--deadline far away changes nothing" {
	warm thing --deadline 1h
	assert_exit 0
	assert_json .stored 3
}

@test "--until: a time of day; already past means tomorrow, and it says so" {
	cc_run warm thing --until 24:00
	assert_exit 2
	assert_stderr_line "--until '24:00': not a time of day; write HH:MM, such as 06:00"
	cc_run warm thing --until 00:00
	assert_exit 0
	assert_stderr_line '--until 00:00 is past for today: it means tomorrow'
	cc_run warm thing --until 06:00 --deadline 5m
	assert_exit 2
}

@test "--failures: the ids that failed, as --ids reads them" {
	fault status path=/things/2 value=500
	warm thing --failures "$DIR/failed"
	assert_exit 3
	assert_equal "$(<"$DIR/failed")" '{"id":"2"}'
	no_faults
	warm thing --ids "$DIR/failed" --failures "$DIR/again"
	assert_exit 0
	assert_json '[.requested, .stored]' '[1,1]'
	assert_equal "$(<"$DIR/again")" ''
	cc_run warm thing --failures "$DIR/no/such/file"
	assert_exit 2
	echo 2 >ids
	cc_run warm thing --ids ids --failures ./ids
	assert_exit 2
	assert_stderr_line '--failures ./ids: what is to be warmed is read from there; name another file'
	assert_equal "$(<ids)" 2
}

@test "a value that is cached though its source has none is reported; --prune drops it" {
	rcli SET thing:9 old EX 100 >/dev/null
	warm thing 9
	assert_exit 3
	assert_stderr_line "thing 'thing:9': the source has nothing there (404), but a value is cached: --prune drops it"
	assert_equal "$(rcli EXISTS thing:9)" 1
	warm thing 9 --prune
	assert_json '[.absent, .pruned]' '[1,1]'
	assert_equal "$(rcli EXISTS thing:9)" 0
}

@test "--set: a set's namespaces, with vars one key of each" {
	unset CALLCACHE_CONFIG
	warm --set dashboard
	assert_exit 0
	assert_json '[.namespaces[].namespace] | sort' '["dashboard-summary","recent-calls"]'
	warm --set campaign/nowhere
	assert_exit 3
	assert_json '[.requested, .absent]' '[2,2]'
	cc_run warm --set dashbord
	assert_exit 2
	assert_stderr_line "unknown set 'dashbord'; did you mean 'dashboard'?"
	cc_run warm --set x
	assert_exit 2
	assert_stderr_line "unknown set 'x'; there are live, dashboard, campaign/{campaignId}"
	cc_run warm --set x --profile leads
	assert_exit 2
	assert_stderr_line "unknown set 'x': the configuration has no sets"
}

@test "negative: nothing there is remembered beside the key, and the source is not asked" {
	api_config '"thing": { "key": "thing:{id}", "ttl": "5m", "negative": "60s", "source": { "use": "api", "get": "/things/{id}" } }'
	warm thing nowhere
	assert_json .absent 1
	warm thing nowhere
	assert_json '[.absent, .source_requests]' '[1,0]'
	assert_equal "$(rcli EXISTS thing:nowhere) $(asked /things/nowhere)" '0 1'
	set_data /things/nowhere '{"now":"there"}'
	warm thing nowhere --if always
	assert_json .stored 1
}

@test "--ephemeral leaves nothing of its own" {
	warm thing --ephemeral
	assert_exit 0
	assert_json .stored 3
	assert_equal "$(own_keys)" 0
}

# A user of the test's server: without scripts; without transactions too.
plain_user() {
	rcli ACL SETUSER plain on '>pw' '~*' +@all "$@" >/dev/null
	export REDIS_USERNAME=plain REDIS_PASSWORD=pw
}

@test "a user who may run no scripts: fenced and conditional all the same" {
	things 40
	plain_user -@scripting
	warm thing
	assert_exit 0
	assert_no_stderr
	assert_json .stored 40
	assert_equal "$(rcli EXISTS cc:l:warm:thing:list)" 0
	rcli SET thing:2 theirs >/dev/null
	warm thing
	assert_json '[.stored, .renewed, .not_modified]' '[1,39,40]'
	assert_equal "$(value_of thing:2)" '{"id":"2","n":9007199254740993}'
}

@test "a user who may run no scripts: a fetch that began before an invalidation never writes" {
	plain_user -@scripting
	begin_fetch
	unset REDIS_USERNAME REDIS_PASSWORD
	overtake_fetch
}

@test "a user who may run neither scripts nor transactions: a warning, and plain writes" {
	plain_user -@scripting -@transaction
	warm thing 1 2 3
	assert_exit 0
	assert_stderr_line 'without fencing and conditional requests'
	assert_json .stored 3
}

@test "scripts that the server forgets in the middle are loaded again" {
	things 40
	fault hold path=/things/4
	in_background out "$CCACHE" warm -o json thing
	local pid=$STARTED
	wait_for enough_keys
	wait_for was_asked /things/40
	rcli SCRIPT FLUSH >/dev/null
	no_faults
	wait "$pid"
	assert_equal "$(key_count 'thing:*')" 40
}

@test "ids that do not fit are refused when the first answers tell" {
	local i
	mkdir -p "$DIR/nginx/www/things"
	for ((i = 1; i <= 100; i++)); do printf '"%02000d"' "$i" >"$DIR/nginx/www/things/$i"; done
	start_nginx 'keepalive_requests 100000; location /any/ { try_files /things/1 =404; }'
	API_URL=$NGINX_URL api_config '"thing": { "key": "thing:{id}", "ttl": "5m", "source": { "use": "api", "get": "/any/{id}" } }'
	seq 20000 >"$DIR/ids"
	rcli CONFIG SET maxmemory 16mb >/dev/null
	warm thing --ids "$DIR/ids"
	assert_exit 7
	assert_stderr_line 'more would be stored, and the server has'
	assert_json '[.complete, .stopped_by, .stored > 0, .requested < 20000]' '[false,"memory",true,true]'
	rcli CONFIG SET maxmemory 200mb >/dev/null
	rcli FLUSHALL >/dev/null
	warm thing --ids "$DIR/ids"
	assert_exit 0
}

@test "--dry-run tells how much it would be, by what is cached of the namespace" {
	local i
	warm thing --dry-run 1 2 3
	assert_json '.namespaces[0].estimated_bytes' null
	for i in 1 2 3; do rcli SET "thing:$i" "$(printf '%01000d' 1)" >/dev/null; done
	seq 1000 >"$DIR/ids"
	warm thing --dry-run --ids "$DIR/ids"
	assert_exit 0
	assert_json '[.skipped_dry_run, .stored]' '[1000,0]'
	assert_json '.namespaces[0].estimated_bytes | . > 1000000 and . < 2000000' true
	cc_run warm thing --dry-run --ids "$DIR/ids"
	assert_line --regexp 'about 1([.][0-9]+ M|[0-9]{3} K)iB' # on Valkey 8.1 a key takes less
	rcli CONFIG SET maxmemory 1500kb >/dev/null
	cc_run warm thing --dry-run --ids "$DIR/ids"
	assert_stderr_line 'the server has'
}

@test "a full cache that evicts because of it stops the run; --evict goes on" {
	local i
	mkdir -p "$DIR/nginx/www/things"
	for ((i = 1; i <= 4000; i++)); do printf '"%01000d"' "$i" >"$DIR/nginx/www/things/$i"; done
	start_nginx 'keepalive_requests 100000;'
	SOURCE='"concurrency": 8, "rate": "1500/s"' API_URL=$NGINX_URL api_config "$THING"
	seq 4000 >"$DIR/ids"
	rcli CONFIG SET maxmemory "$(($(rcli INFO memory | sed -n 's/^used_memory:\([0-9]*\).*/\1/p') + 1500000))" >/dev/null
	rcli CONFIG SET maxmemory-policy allkeys-lru >/dev/null
	warm thing --ids "$DIR/ids"
	assert_exit 4
	assert_stderr_line 'it is full; raise maxmemory'
	assert_json '.requested < 4000' true
	warm thing --ids "$DIR/ids" --evict
	assert_json .requested 4000
}
