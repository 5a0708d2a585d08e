# The tests' own tools: the upstream, the servers that helpers.bash starts.
load helpers

# fetch PATH [curl options]: body in $output, status code in $code, headers in $DIR/headers.
fetch() {
	local path=$1
	shift
	status=0
	: >"$DIR/body"
	code=$(curl -sS --path-as-is -D "$DIR/headers" -o "$DIR/body" -w '%{http_code}' "$@" "$UPSTREAM_URL$path" 2>"$DIR/curl-error") || status=$?
	stderr=$(<"$DIR/curl-error")
	output=$(tr -d '\0' <"$DIR/body" 2>/dev/null)
}

header() { sed -n "s/^$1: *//Ip" "$DIR/headers" | tr -d '\r'; }

@test "every path of every profile answers" {
	start_upstream --items 3
	local id='{subaccountId}=507f1f77bcf86cd799439011 {campaignId}=65a0c1b2d3e4f5a600000000 {callId}=66b17c09e2d1c3f400000000'
	id+=' {cursor}= {phone}=%2B16045550100 {phone|digits}=17786528784 {organizationId}=b0c1b1c1-0000-0000-0000-000000000001'
	id+=' {orgId}=b0c1b1c1-0000-0000-0000-000000000001 {limit}=5 {path|rest}=api/calls'
	id+=" {leadId}=$(curl -s "$UPSTREAM_URL/api/leads" | jq -r '.data[0].id')"
	id+=" {sessionId}=$(curl -s "$UPSTREAM_URL/api/call-sessions" | jq -r '.data[0].id')"
	id+=" {message_id}=$(curl -s "$UPSTREAM_URL/api/messages" | jq -r '.data[0].id')"
	id+=" {conversationId}=$(curl -s "$UPSTREAM_URL/api/conversations" | jq -r '.data[0].id')"
	id+=" {conversation_id}=$(curl -s "$UPSTREAM_URL/api/conversations" | jq -r '.data[0].id')"
	local path pair seen=0
	while read -r path; do
		[[ $path == '/api/{path|rest}' ]] && path=/api/calls
		for pair in $id; do path=${path//"${pair%%=*}"/${pair#*=}}; done
		fetch "$path"
		[[ $code == 200 ]] || fail "$path answers $code: $output"
		((++seen))
	done < <(jq -r '.. | objects | .get? // empty' "$ROOT"/src/profiles/*.json | sort -u)
	((seen > 30)) || fail "only $seen paths were found in the profiles"
}

@test "an answer has a strong ETag, and 304 for who knows it" {
	start_upstream
	fetch /api/dashboard/summary
	assert_equal "$code $(header cache-control)" '200 public, max-age=60'
	etag=$(header etag)
	[[ $etag == '"'*'"' ]]
	fetch /api/dashboard/summary -H "If-None-Match: $etag"
	assert_equal "$code ${#output}" '304 0'
	fetch /api/dashboard/summary -H 'If-None-Match: "other"'
	assert_equal "$code" 200
}

@test "a list is paged to its end, each thing once" {
	start_upstream --items 23 --page 10
	local after='' ids='' pages=0
	while :; do
		fetch /api/messages -G --data-urlencode "after=$after"
		assert_equal "$code" 200
		ids+=$(jq -r '.data[].id' <<<"$output")$'\n'
		((++pages))
		after=$(jq -r '.next // empty' <<<"$output")
		[[ $after ]] || break
	done
	assert_equal "$pages" 3
	assert_equal "$(grep -c . <<<"$ids") $(sort -u <<<"$ids" | grep -c .)" '23 23'
}

@test "a cursor that was not percent-encoded is refused, as is a bad limit" {
	start_upstream --items 23
	fetch '/api/messages?after=from:10+'
	assert_equal "$code" 400
	fetch '/api/messages?limit=0'
	assert_equal "$code" 400
	fetch '/api/messages?after=from:10%2B&limit=2'
	assert_json '.data | length' 2
	assert_json .next from:12+
}

@test "unknown ids and paths are 404, other methods 405" {
	start_upstream
	for path in /nothing /api/messages/0 /api/calls/507f1f77bcf86cd799439010/logs /api//logs /api/calls/../logs '/api/messages/%00'; do
		fetch "$path"
		assert_equal "$path $code" "$path 404"
	done
	fetch /api/calls -X POST
	assert_equal "$code" 405
}

@test "an organisation's odd phone is found by its normalised form only" {
	start_upstream --items 25
	fetch '/organizations?phone=eq.%2B16045550101'
	assert_equal "$output" '[]'
	fetch '/organizations?phone=eq.16045550101'
	assert_json '.[0].name' 'Organisation 2'
	fetch '/organizations?is_default=eq.true'
	assert_json '.[0].is_default' true
}

@test "data is the same after a restart" {
	start_upstream
	fetch /api/messages
	before=$output
	stop "$UPSTREAM_PID"
	start_upstream
	fetch /api/messages
	assert_equal "$output" "$before"
}

@test "a token is wanted when one was given" {
	start_upstream --token s3cret
	fetch /api/calls
	assert_equal "$code" 401
	fetch /api/calls -H 'Authorization: Bearer s3cret'
	assert_equal "$code" 200
}

@test "data can be replaced, with status and type, and restored" {
	start_upstream
	fetch /api/active-calls
	before=$output
	set_data /api/active-calls '{"replaced":1}'
	fetch /api/active-calls?any=query
	assert_equal "$code $output" '200 {"replaced":1}'
	set_data /api/active-calls?any=query gone -H 'X-Status: 410' -H 'Content-Type: text/plain'
	fetch /api/active-calls?any=query
	assert_equal "$code $output $(header content-type)" '410 gone text/plain'
	curl -fsS -o /dev/null -X DELETE "$UPSTREAM_URL/_data/api/active-calls"
	fetch /api/active-calls
	assert_equal "$output" "$before"
}

@test "a replaced body may hold any bytes" {
	start_upstream
	printf 'a\0b\377\r\n' >"$DIR/bytes"
	set_data /api/x @"$DIR/bytes"
	fetch /api/x
	assert_equal_files "$DIR/bytes" "$DIR/body"
}

@test "requests are counted by path, and the last one's headers kept" {
	start_upstream
	fetch /api/calls
	fetch '/api/calls?limit=1' -H 'Authorization: Bearer me'
	fetch /nothing
	assert_equal "$(upstream_count) $(upstream_count /api/calls) $(upstream_count /x)" '3 2 0'
	assert_equal "$(upstream_last .target)" /nothing
	fetch /api/calls -H 'Authorization: Bearer me'
	assert_equal "$(upstream_last .headers.Authorization)" 'Bearer me'
	curl -fsS -o /dev/null -X DELETE "$UPSTREAM_URL/_count"
	assert_equal "$(upstream_count) $(upstream_last .)" '0 null'
}

@test "fault: a status, so many times, for a prefix" {
	start_upstream
	fault status value=429 path=/api/calls count=2 retry_after=3
	fetch /api/messages
	assert_equal "$code" 200
	for expected in 429 429 200; do
		fetch /api/calls
		assert_equal "$code" "$expected"
		[[ $expected == 200 || $(header retry-after) == 3 ]]
	done
}

@test "fault: faults go on until they are cleared" {
	start_upstream
	fault status value=503
	for _ in 1 2 3; do
		fetch /api/calls
		assert_equal "$code" 503
	done
	no_faults
	fetch /api/calls
	assert_equal "$code" 200
}

@test "fault: held answers wait side by side" {
	start_upstream
	fault hold
	in_background curl.log curl -fsS --parallel --parallel-immediate --parallel-max 20 -o /dev/null "$UPSTREAM_URL/api/leads?x=[1-20]"
	all_asked() { (($(upstream_count) == 20)); }
	wait_for all_asked
	no_faults
	wait "$STARTED"
}

@test "a base latency comes before every answer" {
	start_upstream --delay 150
	fetch /api/calls -w '%{time_starttransfer}'
	[[ $code == 0.[1-9]* ]] || fail "first byte after $code s"
}

@test "fault: a truncated body" {
	start_upstream
	fault truncate
	fetch /api/calls
	assert_equal "$status" 18
	((${#output} > 100)) || fail "only ${#output} bytes came"
}

@test "fault: a trickle is slow but right" {
	start_upstream
	fetch /api/stats/call-duration
	before=$output
	fault trickle value=2
	fetch /api/stats/call-duration -w '%{time_total}'
	assert_equal "$output" "$before"
	[[ $code != 0.0* ]] || fail "a trickle of ${#output} bytes took only $code s"
}

@test "fault: a huge body of the wanted size is valid JSON" {
	start_upstream
	fault huge value=3000000
	fetch /api/calls
	assert_equal "$code $(stat -c %s "$DIR/body")" '200 3000000'
	assert_equal "$(jq -r 'length' "$DIR/body")" 2999998
}

@test "fault: garbage instead of HTTP" {
	start_upstream
	fault garbage count=1
	fetch /api/calls
	[[ $status == 1 || $status == 52 || $status == 56 || $status == 8 ]] || fail "curl exit $status: $stderr"
	fetch /api/calls
	assert_equal "$code" 200
}

@test "fault: a reset connection" {
	start_upstream
	fault reset count=1
	fetch /api/calls
	assert_equal "$status" 56
	[[ $stderr == *reset* ]] || fail "$stderr"
	fetch /api/calls
	assert_equal "$code" 200
}

@test "fault: a redirect" {
	start_upstream
	fault redirect url=http://elsewhere.example/x?y=z path=/api/calls
	fetch /api/calls
	assert_equal "$code $(header location)" '302 http://elsewhere.example/x?y=z'
}

@test "fault: what makes no sense is refused" {
	start_upstream
	for query in '' kind=explode kind=redirect 'kind=status&value=99' 'kind=delay&value=soon' 'kind=delay&url=x'; do
		code=$(curl -s -o /dev/null -w '%{http_code}' -X POST "$UPSTREAM_URL/_fault?$query")
		assert_equal "$query $code" "$query 400"
	done
}

@test "options that make no sense are refused" {
	for options in --port=70000 --items=0 --delay=x --nothing word; do
		run --separate-stderr "$UPSTREAM" "$options"
		assert_exit 2
		assert_stderr_line usage:
	done
}

@test "a port in use is reported" {
	start_upstream
	run --separate-stderr "$UPSTREAM" --port "$UPSTREAM_PORT"
	assert_exit 1
	assert_stderr_line "cannot listen on 127.0.0.1:$UPSTREAM_PORT"
}

@test "helpers: redis on a socket, over TCP, and over TLS with client certificates" {
	make_certs
	TCP=1 TLS=1 TLS_CLIENTS=yes start_redis
	assert_equal "$(rcli PING)" PONG
	assert_equal "$(redis-cli -p "$REDIS_TCP_PORT" PING)" PONG
	local tls=(--tls --cacert certs/ca.pem -p "$REDIS_TLS_PORT")
	assert_equal "$(redis-cli "${tls[@]}" --cert certs/client.pem --key certs/client.key PING)" PONG
	run redis-cli "${tls[@]}" PING
	refute_output PONG
	stop_redis
	gone "$REDIS_PID"
}

@test "helpers: certificates are right, expired, misnamed and unknown" {
	make_certs
	local verify=(openssl verify -CAfile certs/ca.pem -verify_hostname localhost)
	"${verify[@]}" certs/server.pem
	run "${verify[@]}" certs/expired.pem
	assert_output --partial 'has expired'
	run "${verify[@]}" certs/othername.pem
	assert_output --partial 'hostname mismatch'
	run "${verify[@]}" certs/stranger.pem
	assert_output --partial 'self-signed'
}

@test "helpers: nginx, plain and over TLS" {
	start_nginx 'location /hello { return 200 "{}"; }'
	echo '{"a":1}' >nginx/www/a.json
	assert_equal "$(curl -fsS "$NGINX_URL/hello") $(curl -fsS "$NGINX_URL/a.json")" '{} {"a":1}'
	stop "$NGINX_PID"
	make_certs
	NGINX_LISTEN=ssl start_nginx ''
	assert_equal "$(curl -fsS --cacert certs/ca.pem "$NGINX_URL/a.json")" '{"a":1}'
}

@test "helpers: a SOCKS proxy, with and without a password" {
	start_upstream
	start_socks
	assert_equal "$(curl -fsS -o /dev/null -w '%{http_code}' -x "$SOCKS_URL" "$UPSTREAM_URL/api/calls")" 200
	start_socks me secret
	assert_equal "$(curl -fsS -o /dev/null -w '%{http_code}' -x "$SOCKS_URL" "$UPSTREAM_URL/api/calls")" 200
	run curl -fsS -x "socks5h://127.0.0.1:$SOCKS_PORT" "$UPSTREAM_URL/api/calls"
	assert_failure
}

@test "helpers: the environment is scrubbed" {
	REDIS_URL=x CALLCACHE_CONFIG=y http_proxy=z sandbox_in_subshell
}

sandbox_in_subshell() (
	export REDIS_URL CALLCACHE_CONFIG http_proxy
	sandbox
	[[ ! ${REDIS_URL+x}${CALLCACHE_CONFIG+x}${http_proxy+x} && $HOME == "$DIR"/* && $PWD == "$DIR" ]]
)

@test "helpers: waiting for what does not come fails and says so" {
	run wait_for --for 1 false
	assert_failure
	assert_output --partial 'not within 1 s: false'
}
