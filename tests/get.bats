# ccache get: read-through, exact bytes, a cache that is down or switched off.
load helpers
load verbs

setup() {
	sandbox
	start_system --items 7
}

@test "miss, hit, invalidate, miss" {
	cc_run get call-logs $SUB --meta
	assert_exit 0
	assert_json '[.success, .meta.cacheHit, .meta.stored, .meta.degraded]' '[true,false,true,false]'
	cc_run get call-logs subaccountId=$SUB --meta
	assert_exit 0
	assert_json '[.success, .meta.cacheHit, .meta.stored, .meta.degraded]' '[true,true,false,false]'
	assert_equal "$(upstream_count /api/calls/$SUB/logs)" 1
	cc_run invalidate call-logs $SUB --yes
	assert_exit 0
	cc_run get call-logs $SUB --meta
	assert_json .meta.cacheHit false
	assert_equal "$(upstream_count /api/calls/$SUB/logs)" 2
}

@test "--meta: every member of the envelope" {
	cc_run get call-logs $SUB --meta
	assert_exit 0
	assert_json 'keys_unsorted' '["success","message","data","meta"]'
	assert_json '.meta | keys_unsorted' \
		'["operationId","duration","count","cacheHit","namespace","key","ttl_ms","stored","degraded","stale"]'
	assert_json '.meta.operationId | test("^[0-9a-f]{16}$")' true
	assert_json '.meta.duration | test("^[0-9.]+ms$")' true
	assert_json '.meta.count == (.data | length) and .meta.count > 1' true
	assert_json '[.meta.namespace, .meta.key]' "[\"call-logs\",\"call:logs:$SUB\"]"
	assert_json '.meta.ttl_ms >= 270000 and .meta.ttl_ms <= 300000' true
	cc_run get call-logs nobody --no-fetch --meta
	assert_exit 1
	assert_json '[.success, .data, .meta.count, .meta.ttl_ms]' '[false,null,0,null]'
}

@test "call-logs keeps only the calls that the database knows, byte for byte" {
	"$CCACHE" get call-logs $SUB >"$DIR/got"
	curl -sS "$UPSTREAM_URL/api/calls/$SUB/logs" >"$DIR/body"
	assert_equal "$(jq -c '[.[].call_id]' "$DIR/got")" \
		"$(jq -c --argjson ids "$(curl -sS "$UPSTREAM_URL/api/subaccounts/$SUB/call-ids")" \
			'[.data[].call_id | select(IN($ids.data[]))]' "$DIR/body")"
	# 64-bit numbers, 1.10, escapes and the members' order as they came
	grep -F '"cost":1.10,"sequence":9007199254740994,"transcript":"Agent: Hello. \u2014 User' "$DIR/got"
	assert_equal "$(value_of call:logs:$SUB | cksum)" "$(cksum <"$DIR/got")"
}

@test "the exact slice of the answer, whatever is in it" {
	local slice='{ "z":1.10,"a" : [12345678901234567890, 1E2 ,-0.0],"\u00e9":"\ud83d\ude00 \/","z":2}'
	api_config '"thing": { "key": "thing:{id}", "ttl": "5m", "source": { "use": "api", "get": "/things/{id}", "body": "/data/0" } }'
	set_data /things/1 '{"before":[],"data":['"$slice"' ,7]}'
	printf %s "$slice" >"$DIR/want"
	"$CCACHE" get thing 1 >"$DIR/miss"
	"$CCACHE" get thing 1 >"$DIR/hit"
	assert_equal_files "$DIR/want" "$DIR/miss"
	assert_equal_files "$DIR/want" "$DIR/hit"
	assert_equal "$(upstream_count /things/1)" 1
}

@test "values that are not JSON, and binary ones" {
	api_config '"thing": { "key": "thing:{id}", "ttl": "5m", "json": false, "source": { "use": "api", "get": "/things/{id}" } }'
	printf 'a\0b\377\r\n\033[2J{' >"$DIR/want"
	set_data /things/1 @"$DIR/want" -H 'Content-Type: application/octet-stream'
	for how in miss hit; do
		"$CCACHE" get thing 1 >"$DIR/got"
		assert_equal_files "$DIR/want" "$DIR/got"
	done
	cc_run get thing 1 --meta
	assert_json '[.data, .data_base64]' "[null,\"$(base64 -w0 "$DIR/want")\"]"
	rcli SET thing:2 'plain text' >/dev/null
	cc_run get thing 2 --meta
	assert_json '[.data, .meta.ttl_ms]' '["plain text",null]'
}

@test "an answer that should be JSON and is not: exit 3, nothing stored" {
	api_config "$THING"
	set_data /things/1 '{"a":01}'
	cc_run get thing 1
	assert_exit 3
	assert_equal "$output" ''
	assert_stderr_line "$UPSTREAM_PORT/things/1"
	assert_stderr_line '1:6'
	assert_equal "$(key_count)" 0
}

@test "Redis down: the same bytes, the same exit code, one warning" {
	"$CCACHE" get call-logs $SUB >"$DIR/want"
	stop_redis
	"$CCACHE" get call-logs $SUB >"$DIR/got" 2>"$DIR/said"
	assert_equal_files "$DIR/want" "$DIR/got"
	stderr=$(<"$DIR/said")
	assert_stderr_line 'the source answered'
	assert_stderr_line "$REDIS_SOCKET"
	assert_equal "$(wc -l <"$DIR/said")" 1
	cc_run get call-logs $SUB --meta
	assert_exit 0
	assert_json '[.meta.degraded, .meta.stored, .meta.cacheHit, .meta.ttl_ms]' '[true,false,false,null]'
	cc_run get call-logs nobody
	assert_exit 3
	assert_stderr_line "error: 'call:logs:nobody': the source has nothing there"
	cc_run get call-logs $SUB --no-fetch
	assert_exit 4
	assert_equal "$output" ''
}

@test "REDIS_ENABLED=false: the same bytes, no warning, Redis not asked" {
	"$CCACHE" get call-logs $SUB >"$DIR/want"
	rcli FLUSHALL >/dev/null
	REDIS_ENABLED=false "$CCACHE" get call-logs $SUB >"$DIR/got" 2>"$DIR/said"
	assert_equal_files "$DIR/want" "$DIR/got"
	assert_equal "$(<"$DIR/said")" ''
	assert_equal "$(key_count)" 0
	REDIS_ENABLED=false cc_run get call-logs $SUB --no-fetch
	assert_exit 1
}

@test "a Redis that refuses the write: the value, and a warning" {
	rcli CONFIG SET maxmemory 1 >/dev/null
	cc_run get call-logs $SUB --meta
	assert_exit 0
	assert_json '[.success, .meta.stored, .meta.degraded, .meta.ttl_ms]' '[true,false,false,null]'
	assert_stderr_line OOM
	assert_stderr_line 'not stored'
}

@test "--no-fetch: 1 when absent, and the source is not asked" {
	cc_run get call-logs $SUB --no-fetch
	assert_exit 1
	assert_equal "$output" ''
	assert_stderr_line "'call:logs:$SUB' is not cached"
	assert_equal "$(upstream_count)" 0
	cc_run get call-logs $SUB --no-fetch --refresh
	assert_exit 2
}

@test "--no-store leaves Redis alone, --refresh writes over what is there" {
	cc_run get message --no-store 000000000000000000000000
	assert_exit 3
	local id
	id=$(curl -sS "$UPSTREAM_URL/api/messages" | jq -r '.data[0].id')
	cc_run get message "$id" --no-store
	assert_exit 0
	assert_equal "$(key_count)" 0
	rcli SET "message:$id" '"old"' >/dev/null
	cc_run get message "$id" --refresh --no-store
	assert_json .id "$id"
	assert_equal "$(value_of "message:$id")" '"old"'
	cc_run get message "$id"
	assert_equal "$output" '"old"'
	cc_run get message "$id" --refresh
	assert_json .id "$id"
	assert_equal "$(value_of "message:$id" | jq -r .id)" "$id"
}

@test "an empty value is a hit" {
	rcli SET "call:logs:$SUB" '' >/dev/null
	cc_run get call-logs $SUB --meta
	assert_exit 0
	assert_json '[.meta.cacheHit, .data]' '[true,""]'
	assert_equal "$(upstream_count)" 0
}

@test "the source has nothing there: 3; it is down: 5; it refuses: 3 or 5, named" {
	cc_run get call-logs nobody
	assert_exit 3
	assert_stderr_line "'call:logs:nobody'"
	cc_run get call-logs nobody --meta
	assert_exit 3
	assert_json '[.success, .data]' '[false,null]'
	stop "$UPSTREAM_PID"
	cc_run get dashboard-leads b0c1
	assert_exit 5
	assert_stderr_line "127.0.0.1:$UPSTREAM_PORT"
	assert_equal "$(key_count)" 0
}

@test "a source that answers 500: the key stays what it was" {
	API_RETRIES=1 api_config "$THING"
	set_data /things/1 '{"v":1}'
	"$CCACHE" get thing 1 >/dev/null
	fault status path=/things value=500
	cc_run get thing 1 --refresh
	[[ $status == [35] ]] || fail "exit $status"
	assert_stderr_line 500
	assert_equal "$(value_of thing:1)" '{"v":1}'
	assert_equal "$(upstream_count /things/1)" 3
}

@test "a key of another type: the source answers, and it says what is there" {
	rcli SADD "call:logs:$SUB" a b >/dev/null
	cc_run get call-logs $SUB --no-store
	assert_exit 0
	assert_json 'length > 1' true
	assert_stderr_line "call:logs:$SUB"
	assert_stderr_line WRONGTYPE
	assert_equal "$(rcli TYPE "call:logs:$SUB")" set
	rcli SADD bici:sess:human:all a >/dev/null
	cc_run get human-sessions
	assert_stderr_line 'ccache inspect human-sessions'
	assert_equal "$output" ''
	assert_exit 2
}

@test "org-by-phone: the chain falls back, and its answer is stored under the phone as given" {
	cc_run get org-by-phone +16045550100 # exact
	assert_json .name 'Organisation 1'
	assert_equal "$(upstream_count)" 1
	cc_run get org-by-phone +16045550999 # nobody's: the default organisation
	assert_json '[.name, .is_default]' '["Organisation 1",true]'
	assert_equal "$(upstream_count)" 4
	assert_equal "$(keys_now | paste -sd' ')" 'bici:org:+16045550100 bici:org:+16045550999'
	cc_run get org-by-phone +16045550999 --meta
	assert_json .meta.cacheHit true
	assert_equal "$(upstream_count)" 4
}

@test "lead: keys and queries are normalised the same way, a lead that did not exist is found once it does" {
	local phone org
	read -r phone org < <(curl -sS "$UPSTREAM_URL/rpc/leads_page" | jq -r '.data[0] | "\(.phone) \(.organization_id)"')
	cc_run get lead "$phone" "$org"
	assert_json .phone "$phone"
	cc_run get lead organizationId="$org" phone="(${phone:2:3}) ${phone:5}" --meta # without the 1: another number
	assert_exit 3
	cc_run get lead phone="+1 (${phone:2:3}) ${phone:5}" organizationId="$org" --meta
	assert_json '[.meta.cacheHit, .meta.key]' "[true,\"${phone#+}:$org\"]"
	set_data "/leads?phone=eq.19999&organization_id=eq.$org" '[]'
	cc_run get lead 19999 "$org"
	assert_exit 3
	set_data "/leads?phone=eq.19999&organization_id=eq.$org" '[{"id":"new"}]'
	cc_run get lead 19999 "$org"
	assert_exit 0
	assert_json .id new
}

@test "api-response lives as long as Cache-Control says" {
	cc_run get api-response active-calls --meta
	assert_json '[.meta.key, .meta.ttl_ms]' '["api:active-calls",15000]'
	cc_run get api-response dashboard/summary --meta
	assert_json '[.meta.key, .meta.ttl_ms]' '["api:dashboard/summary",60000]'
	assert_equal "$(upstream_last .target)" /api/dashboard/summary
	cc_run get api-response messages --meta # says nothing: the declared 60 s
	assert_json '.meta.ttl_ms' 60000
}

@test "a password of Redis and a token of the source are never printed" {
	rcli CONFIG SET requirepass sesame-open >/dev/null
	export CALLS_API_AUTHORIZATION='Bearer tok-en' REDISCLI_AUTH=wrong-sesame
	cc_run get call-logs $SUB
	assert_exit 0
	assert_stderr_line WRONGPASS
	refute_stderr_line wrong-sesame
	REDISCLI_AUTH=sesame-open cc_run get call-logs $SUB --meta
	assert_json .meta.stored true
	assert_equal "$(upstream_last .headers.Authorization)" null # the last request was the database's
	fault status path=/api/calls value=401
	cc_run get call-logs $SUB --refresh
	refute_stderr_line tok-en
	assert_stderr_line 401
}

@test "a namespace without a source: hits are served, a miss says what is lacking" {
	api_config '"note": { "key": "note:{id}", "ttl": "5m" }'
	rcli SET note:1 '"hi"' >/dev/null
	cc_run get note 1
	assert_exit 0
	assert_equal "$output" '"hi"'
	cc_run get note 2
	assert_exit 2
	assert_stderr_line "namespace 'note' has no source"
	stop_redis
	cc_run get note 1
	assert_exit 4
	assert_stderr_line "$REDIS_SOCKET"
}
