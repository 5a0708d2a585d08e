#!/usr/bin/env bats
# TLS to Redis: what works, and what each failure says.
load helpers

# openssl takes its time: the certificates are made once.
setup_file() {
	DIR=$BATS_FILE_TMPDIR
	make_certs
}

setup() {
	sandbox
	ln -s "$BATS_FILE_TMPDIR/certs" "$DIR/certs"
	CA=(--cacert "$DIR/certs/ca.pem")
}

# start_tls NAME [CLIENTS]: a server with that certificate, its port in REDIS_TLS_PORT.
tls_is_up() { port_is_open "$REDIS_TLS_PORT"; }
start_tls() {
	start_on_port REDIS_TLS_PORT "$1.log" tls_is_up redis-server --port 0 --tls-port @PORT@ --bind 127.0.0.1 --save '' \
		--tls-cert-file "$DIR/certs/$1.pem" --tls-key-file "$DIR/certs/$1.key" --tls-ca-cert-file "$DIR/certs/ca.pem" \
		--tls-auth-clients "${2:-no}"
}

tls() { cc_run -p "$REDIS_TLS_PORT" --tls "$@"; }

# refused_with REASON ARGS…
refused_with() {
	local reason=$1
	shift
	tls "$@" ping
	assert_exit 4
	assert_equal "$stderr" "ccache: error: redis tls://127.0.0.1:$REDIS_TLS_PORT/0: $reason"
	assert_equal "$output" ''
}

@test "warm, inspect, get and invalidate over TLS" {
	TLS=1 start_redis
	start_upstream
	use_upstream
	export REDIS_URL=rediss://localhost:$REDIS_TLS_PORT/1
	cc_run "${CA[@]}" warm --all -o json
	assert_exit 0
	assert_json '[.stored > 400, .failed, .target]' "[true,0,\"tls://localhost:$REDIS_TLS_PORT/1\"]"
	local stored
	stored=$(jq .stored <<<"$output")
	cc_run "${CA[@]}" inspect -o json
	assert_exit 0
	# warm keeps the set of the human sessions in step: a key that no item was stored under
	assert_json '[.namespaces[] | select(.namespace != "human-sessions") | .keys] | add' "$stored"
	cc_run "${CA[@]}" get call-logs 507f1f77bcf86cd799439011 --no-fetch
	assert_exit 0
	assert_equal "$output" "$(rcli -n 1 GET call:logs:507f1f77bcf86cd799439011)"
	cc_run "${CA[@]}" invalidate call-logs --all --yes -o json
	assert_exit 0
	assert_json '[.removed, .failed]' '[25,0]'
	assert_equal "$(rcli -n 1 --scan --pattern 'call:logs:*' | wc -l)" 0
}

@test "a server that is silent once TLS stands: not told to use it" {
	start_on_port REDIS_TLS_PORT silent.log tls_is_up socat -u \
		"OPENSSL-LISTEN:@PORT@,bind=127.0.0.1,reuseaddr,fork,verify=0,cert=$DIR/certs/server.pem,key=$DIR/certs/server.key" OPEN:/dev/null
	refused_with 'connected, but no answer within 2s: is this a Redis?' "${CA[@]}" --timeout 2s
}

@test "a value of several megabytes over TLS comes back byte for byte" {
	TLS=1 start_redis
	head -c 5000000 /dev/urandom >"$DIR/value"
	rcli -x SET big <"$DIR/value"
	"$CCACHE" -p "$REDIS_TLS_PORT" --tls "${CA[@]}" inspect --raw --max-value 16MiB --key big >"$DIR/got"
	assert_equal_files "$DIR/value" "$DIR/got"
}

@test "--tls options, rediss:// and the configuration are the same" {
	start_tls server
	tls "${CA[@]}" ping
	assert_exit 0
	cc_run -u "rediss://127.0.0.1:$REDIS_TLS_PORT" "${CA[@]}" ping
	assert_exit 0
	cat >c.json <<-JSON
		{ "redis": { "url": "rediss://127.0.0.1:$REDIS_TLS_PORT", "cacert": "$DIR/certs/ca.pem" }, "namespaces": { "a": { "key": "a:{x}", "ttl": 5 } } }
	JSON
	cc_run --config c.json inspect
	assert_exit 0
}

@test "an authority that is not trusted" {
	start_tls server
	refused_with "the server's certificate was issued by an authority that is not trusted here: give the right one with --cacert FILE"
	refused_with "the server's certificate was issued by an authority that is not trusted by the --cacert file: give the right one with --cacert FILE" \
		--cacert "$DIR/certs/stranger.pem"
}

@test "an expired certificate" {
	start_tls expired
	refused_with "the server's certificate has expired: renew it there" "${CA[@]}"
}

@test "a certificate for another name: --sni says which, --insecure looks away" {
	start_tls othername
	refused_with "the server's certificate is not for the name '127.0.0.1': connect by its name, or say it with --sni NAME" "${CA[@]}"
	tls "${CA[@]}" --sni elsewhere.example ping
	assert_exit 0
	tls --insecure ping
	assert_exit 0
}

@test "mutual TLS: with, without and with the wrong certificate" {
	start_tls server yes
	tls "${CA[@]}" --cert "$DIR/certs/client.pem" --key "$DIR/certs/client.key" ping
	assert_exit 0
	tls "${CA[@]}" ping # the alert may come before or after the hang-up is seen
	assert_exit 4
	assert_regex "$stderr" 'the server wants a client certificate: --cert FILE --key FILE|does it want a client certificate \(--cert FILE --key FILE\)'
	tls "${CA[@]}" --cert "$DIR/certs/stranger.pem" --key "$DIR/certs/stranger.key" ping
	assert_exit 4
	assert_stderr_line --cert
}

@test "TLS to a plain port" {
	TCP=1 start_redis
	cc_run -p "$REDIS_TCP_PORT" --tls --timeout 300ms inspect
	assert_exit 4
	assert_equal "$stderr" "ccache: error: redis tls://127.0.0.1:$REDIS_TCP_PORT/0: no TLS answer within 300ms: if the server does not speak TLS, drop --tls or use redis://"
}

@test "TLS to an HTTP server" {
	start_nginx ''
	cc_run -p "$NGINX_PORT" --tls ping
	assert_exit 4
	assert_equal "$stderr" "ccache: error: redis tls://127.0.0.1:$NGINX_PORT/0: the server does not speak TLS: drop --tls or use redis://"
}

@test "plain to a TLS port" {
	start_tls server
	cc_run -p "$REDIS_TLS_PORT" --timeout 2s invalidate --key a --yes
	assert_exit 4
	assert_equal "$stderr" "ccache: error: redis 127.0.0.1:$REDIS_TLS_PORT/0: the server hung up before it answered: is this a Redis? (a TLS port needs --tls)"
}

@test "files that are missing, unreadable or something else" {
	start_tls server
	refused_with "--cacert 'none.pem': No such file or directory" --cacert none.pem
	refused_with "--cacert '/etc/passwd' cannot be read as a PEM file" --cacert /etc/passwd
	refused_with "--cacert 'certs' cannot be read as a PEM file" --cacert certs
	refused_with "--cert 'none.pem': No such file or directory" "${CA[@]}" --cert none.pem --key certs/client.key
	refused_with "--key 'none.key': No such file or directory" "${CA[@]}" --cert certs/client.pem --key none.key
	refused_with "--cert 'certs/client.pem' holds no private key: give it with --key FILE" "${CA[@]}" --cert certs/client.pem
	refused_with "--cert 'certs/client.pem' or --key 'certs/stranger.key' cannot be read as PEM files, or they do not belong together" \
		"${CA[@]}" --cert certs/client.pem --key certs/stranger.key
}
