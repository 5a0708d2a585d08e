# System 2, live call dashboards: what its document says, section by section; then all of it again on a Redis Cluster.
load helpers
load verbs

setup() {
	sandbox
	export CALLCACHE_PROFILE=realtime
}

now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }
one_server() {
	start_system --items 6
	BEGUN_MS=$(now_ms)
}
a_cluster() {
	start_cluster && start_upstream --items 6 || return 1
	use_upstream
	export REDIS_URL=redis://127.0.0.1:${CLUSTER_PORTS[0]}
	rcli() { redis-cli -c -p "${CLUSTER_PORTS[0]}" "$@"; }
	BEGUN_MS=$(now_ms)
	everywhere() { redis-cli --cluster call "127.0.0.1:${CLUSTER_PORTS[0]}" "$@" >/dev/null; }
}

event() { cc_run invalidate -o json --event "$1" --data "$2"; }
outcomes() { assert_json '[.steps[].outcome] | join(" ")' "$1"; }
# lives KEY SECONDS [JITTER_PERCENT]: at most that long, at least that less its jitter and the time gone by.
lives() {
	local ttl aged
	ttl=$(rcli PTTL "$1")
	aged=$(($(now_ms) - BEGUN_MS + 1000)) # the server's clock ticks in steps
	((ttl <= $2 * 1000 && ttl >= $2 * (100 - ${3:-0}) * 10 - aged)) || fail "$1 lives for $ttl ms, not $2 s"
}
there() { # KEYS…: those of them that are cached
	local key
	for key; do
		[[ $(rcli EXISTS "$key") == 0 ]] || printf '%s ' "$key"
	done
}
listen() { # FILE: what the two rooms hear from now on
	in_background "$1" redis-cli -u "${REDIS_URL/#unix:*/redis://127.0.0.1}" ${REDIS_SOCKET:+-s "$REDIS_SOCKET"} SUBSCRIBE calls_room campaigns_room
	wait_for grep -q campaigns_room "$DIR/$1"
}
heard() { grep -qxF "$2" "$DIR/$1"; }
campaigns() { curl -fsS "$UPSTREAM_URL/api/campaigns?status=active&limit=1000" | jq -r '.data[].id'; }

# --- each section; $C is an active campaign ---

keys_and_lives() {
	local count
	C=$(campaigns | head -1) count=$(campaigns | grep -c .)
	cc_run warm --all -o json
	assert_exit 0
	assert_adds_up
	assert_json '[.stored == .requested, .stored]' "[true,$((4 + 2 * count + 6 + 6))]"
	lives active_calls 15
	lives dashboard_summary 60
	lives recent_calls 60
	lives call_duration_stats 300
	lives "campaign_$C" 30 10
	lives "campaign_${C}_contacts" 300 10
	lives call:66b17c09e2d1c3f400000000 300 10
	cc_run inspect -o json
	assert_json '[.keys, .complete, ([.namespaces[] | .no_ttl, .over_policy] | unique)]' "[$((4 + 2 * count + 12)),true,[0]]"
	assert_json '[.namespaces[] | select(.namespace == "(unclassified)") | .keys]' '[0]'
	# shards: JavaScript's, not the exact 7
	set_data /api/campaigns/507f1f77bcf86cd799439011 '{"id":"507f1f77bcf86cd799439011"}'
	cc_run get campaign-shard 507f1f77bcf86cd799439011 --meta
	assert_json .meta.key campaign:shard6:507f1f77bcf86cd799439011
	lives campaign:shard6:507f1f77bcf86cd799439011 30 10
}

STATUS='{"callId":"66b17c09e2d1c3f400000000","campaignId":"CAMPAIGN","status":"completed","direction":"outbound","duration":125,"endTime":"2025-03-26T08:15:00Z"}'

call_status() {
	local event=${STATUS/CAMPAIGN/$C} call=call:66b17c09e2d1c3f400000000 day other
	other=$(campaigns | tail -1)
	cc_run warm --set live --if always
	cc_run get call 66b17c09e2d1c3f400000000
	rcli PEXPIRE "$call" 100000 >/dev/null
	listen heard
	event call.status "$event"
	assert_exit 0
	outcomes 'removed removed removed patched counted published published'
	assert_equal "$(there active_calls dashboard_summary "campaign_$C" "campaign_$other")" "campaign_$other "
	# write-through: two members, the rest byte for byte; the TTL anew
	assert_equal "$(value_of "$call" | jq -c '[.status, (.updatedAt | test("^20..-..-..T..:..:..[.]?[0-9]*Z$")), has("price")]')" '["completed",true,true]'
	lives "$call" 300 10
	# counters, once however often it is said
	day=$("$CCACHE" inspect analytics-daily -o json | jq -r '.keys[0].key')
	event call.status "$event"
	assert_json '.steps[4].outcome' same
	assert_equal "$(rcli HGETALL "$day" | paste -sd' ')" \
		'callVolume.total 1 callVolume.byHour.8 1 callVolume.byStatus.completed 1 callVolume.byDirection.outbound 1 duration.total 125'
	(($(rcli TTL "$day") > 48 * 3600 && $(rcli TTL "$day") <= 72 * 3600))
	# both rooms heard of it
	wait_for heard heard '{"event":"call_update","callId":"66b17c09e2d1c3f400000000","status":"completed"}'
	wait_for heard heard '{"event":"call_update","callId":"66b17c09e2d1c3f400000000","campaignId":"'"$C"'","status":"completed"}'
	# a call under way, of no campaign: neither summary nor campaigns nor counters
	cc_run warm --set live --if missing
	event call.status '{"callId":"new","status":"ringing","direction":"inbound"}'
	outcomes 'removed absent published'
	assert_equal "$(there active_calls dashboard_summary "campaign_$C" call:new)" "dashboard_summary campaign_$C "
	event call.status '{"callId":"new","status":"failed","direction":"inbound"}'
	outcomes 'absent removed absent published'
	assert_equal "$(rcli HGET "$day" callVolume.total)" 1
}

# change OPERATION [MEMBERS]: a document of the database's change stream.
change() {
	printf '{"_id":{"_data":"82"},"operationType":"%s","ns":{"db":"app","coll":"calls"},"documentKey":{"_id":{"$oid":"507f1f77bcf86cd799439011"}}%s}' \
		"$1" "${2:+,$2}"
}
updated() { change update '"updateDescription":{"updatedFields":{'"$1"'},"removedFields":[]}'"${2:+,$2}"; }

change_stream() {
	local document left
	while IFS='|' read -r document left; do
		cc_run warm active-calls --if missing -q
		cc_run warm call-duration-stats --if missing -q
		event calls.changed "$document"
		assert_exit 0
		assert_equal "$(there active_calls call_duration_stats)" "$left"
	done <<-ROWS
		$(updated '"status":"completed"')|call_duration_stats 
		$(updated '"duration":7')|active_calls 
		$(updated '"notes":"x"')|active_calls call_duration_stats 
		$(updated '"status":"completed","duration":7')|
		$(change insert '"fullDocument":{"status":"completed"}')|
		$(change delete)|
		{"operationType":"update","ns":{"coll":"users"},"updateDescription":{"updatedFields":{"status":1}}}|active_calls call_duration_stats 
	ROWS
	# of a live call the list is fetched again, and who hears of it finds it
	local operation
	for operation in insert update replace; do
		rcli SET active_calls old >/dev/null
		set_data /api/active-calls "{\"active_calls\":[{\"sid\":\"$operation\"}]}"
		listen "$operation"
		event calls.changed "$(change $operation '"updateDescription":{"updatedFields":{"status":"ringing"}},"fullDocument":{"sid":"CA1","status":"ringing"}')"
		assert_exit 0
		assert_json '.steps[] | select(.action == "warm") | .outcome' warmed
		assert_equal "$(value_of active_calls)" "{\"active_calls\":[{\"sid\":\"$operation\"}]}"
		lives active_calls 15
		wait_for heard $operation '{"event":"call_update","type":"'$operation'","document":{"sid":"CA1","status":"ringing"}}'
	done
}

validated() {
	local path=calls/66b17c09e2d1c3f400000001
	cc_run get api-response $path --meta
	assert_json '[.meta.key, .meta.ttl_ms, .meta.cacheHit]' "[\"api:$path\",300000,false]" # max-age=300
	# the same again asks with If-None-Match: 304, and only the life is new
	rcli PEXPIRE api:$path 5000 >/dev/null
	cc_run warm api-response $path -o json
	assert_json '[.stored, .renewed, .not_modified, .bytes]' '[0,1,1,0]'
	assert_equal "$(upstream_last '.headers["If-None-Match"] | length > 2')" true
	lives api:$path 300
	# another answer, another ETag
	set_data "/api/$path" '{"id":"changed"}'
	cc_run warm api-response $path -o json
	assert_json '[.stored, .renewed]' '[1,0]'
	assert_equal "$(value_of api:$path)" '{"id":"changed"}'
	# each answer as long as it says itself
	cc_run get api-response dashboard/summary --meta
	assert_json .meta.ttl_ms 60000
}

warmed_sets() {
	local count
	count=$(campaigns | grep -c .)
	local ns
	for ns in active-calls dashboard-summary recent-calls campaign campaign-contacts; do
		cc_run invalidate $ns --all --yes -q
		assert_exit 0
	done
	# at start and every five minutes: summary, active calls, each active campaign
	cc_run warm --set live -o json
	assert_exit 0
	assert_json '[.namespaces[] | [.namespace, .stored]]' "[[\"dashboard-summary\",1],[\"active-calls\",1],[\"campaign\",$count]]"
	# a page is opened: what it will ask for, unless it is there
	cc_run warm --set dashboard --if missing -o json
	assert_json '[.namespaces[] | [.namespace, .stored, .skipped]]' '[["dashboard-summary",0,1],["recent-calls",1,0]]'
	cc_run warm --set "campaign/$C" --if missing -o json
	assert_json '[.namespaces[] | [.namespace, .stored, .skipped]]' '[["campaign",0,1],["campaign-contacts",1,0]]'
	assert_equal "$(there "campaign_${C}_contacts" recent_calls)" "campaign_${C}_contacts recent_calls "
	# a reader who insists (get:active_calls) gets a fresh list
	set_data /api/active-calls '{"active_calls":[]}'
	cc_run get active-calls --refresh --meta
	assert_json '[.meta.cacheHit, .data]' '[false,{"active_calls":[]}]'
}

read_through() {
	local i
	for ((i = 0; i < 36; i++)); do
		"$CCACHE" get call 66b17c09e2d1c3f400000000 >/dev/null
	done
	cc_run get call 66b17c09e2d1c3f400000000 --log-level debug
	assert_stderr_line 'Hit: call:66b17c09e2d1c3f400000000 (Hit ratio: 97.30%)'
	cc_run get call 66b17c09e2d1c3f400000001 --log-level debug
	assert_stderr_line 'Miss: call:66b17c09e2d1c3f400000001 (Hit ratio: 94.74%)'
	cc_run get call 66b17c09e2d1c3f400000000
	assert_no_stderr
	# GET /api/admin/cache-stats
	cc_run stats -o json
	output=$(jq '{
		hits: ([.namespaces[].own_hits] | add), misses: ([.namespaces[].own_misses] | add),
		keys, memory: .used_memory_bytes, uptime: (.uptime_ms / 1000)
	} | .ratio = (.hits * 10000 / (.hits + .misses) | round / 100)' <<<"$output")
	assert_json '[.hits, .misses, .ratio]' '[37,2,94.87]'
	assert_json '(.keys >= 2) and .memory > 100000 and .uptime >= 0' true
}

@test "realtime: the keys, their lives, and the shards" {
	one_server
	keys_and_lives
}

@test "realtime: call.status: conditions, write-through, counters, notices" {
	one_server
	C=$(campaigns | head -1)
	call_status
}

@test "realtime: change streams: by the field that changed; a live call is fetched again" {
	one_server
	change_stream
}

@test "realtime: answers of the API: Cache-Control and ETag" {
	one_server
	validated
}

@test "realtime: warmed at start, every five minutes, and for the page that is opened" {
	one_server
	C=$(campaigns | head -1)
	warmed_sets
}

@test "realtime: read-through, its log lines, and the admin's figures" {
	one_server
	read_through
}

@test "realtime: shards as Node.js computes them, thousands of ids" {
	one_server
	node "$ROOT/tools/js-hex-mod-rows.mjs" 4000 rows shards nan
	(($(wc -l <shards) > 2500 && $(wc -l <nan) > 100))
	cc_run warm --from rows -o json
	assert_exit 0
	assert_adds_up
	rcli --scan --pattern 'campaign:shard*' | LC_ALL=C sort -u >got
	LC_ALL=C sort -u shards >want
	assert_equal_files want got
	# what parseInt makes NaN of has no shard, and is refused by name
	cc_run warm --from nan -o json
	assert_exit 3
	assert_json '[.stored, .failed == .requested]' '[0,true]'
}

@test "realtime: a Redis that goes and comes: the source answers meanwhile" {
	one_server
	cc_run get dashboard-summary
	stop_redis
	cc_run get dashboard-summary --meta
	assert_exit 0
	assert_json '[.meta.degraded, .success]' '[true,true]'
	start_redis
	cc_run get dashboard-summary --meta
	assert_json '[.meta.degraded, .meta.stored]' '[false,true]'
}

@test "realtime: everything again on a Redis Cluster" {
	a_cluster
	read_through
	everywhere FLUSHALL
	keys_and_lives
	call_status
	change_stream
	validated
	warmed_sets
}
