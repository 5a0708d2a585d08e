#!/usr/bin/env bats
# System 4, messages and conversations, by its document: the demo of its test section, its invalidation points, its
# metrics and its target.
load helpers
load verbs
load system

setup() {
	sandbox
	export CALLCACHE_PROFILE=messages
	start_system --items 12 --page 5
	MESSAGE=$(first_id /api/messages)
	CONVERSATION=$(first_id /api/conversations)
}
first_id() { curl -fsS "$UPSTREAM_URL$1?limit=1" | jq -r '.data[0].id'; }

@test "messages: both key patterns, five minutes each" {
	warmed 24
	has message 12 'message:[^:]+' 300 10
	has conversation 12 'conversation:[^:]+' 300 10
}

@test "messages: miss, hit, update, miss again, for both; the database is asked on a miss alone" {
	local ns id event data
	while read -r ns id event data; do
		curl -fsS -X DELETE "$UPSTREAM_URL/_count"
		cc_run get "$ns" "$id" --meta
		assert_json '[.meta.cacheHit, .meta.stored, .data.id]' "[false,true,\"$id\"]"
		cc_run get "$ns" "$id" --meta
		assert_json '[.meta.cacheHit, .meta.ttl_ms <= 300000]' '[true,true]'
		assert_equal "$(upstream_count "/api/${ns}s/$id")" 1
		# what is stored is what the database said, to the byte
		assert_equal "$(value_of "$ns:$id")" "$(api_value "/api/${ns}s/$id")"
		# the update: the database changes, the event comes
		set_data "/api/${ns}s/$id" "{\"id\":\"$id\",\"status\":\"new\"}"
		event "$event" "$data"
		assert_exit 0
		assert_json '[.steps[].outcome]' '["removed"]'
		cc_run get "$ns" "$id" --meta
		assert_json '[.meta.cacheHit, .data.status]' '[false,"new"]'
	done <<-ROWS
		message $MESSAGE message.status {"message_id":"$MESSAGE","status":"delivered"}
		conversation $CONVERSATION conversation.updated {"conversation_id":"$CONVERSATION"}
	ROWS
}

@test "messages: the cached structures have the document's members" {
	cc_run get message "$MESSAGE"
	assert_json 'keys | sort == (["id","conversation_id","provider","provider_message_id","direction","status","message_type",
		"from_address","to_address","body","attachments","sent_at","delivered_at","created_at","updated_at","meta_data"] | sort)' true
	cc_run get conversation "$CONVERSATION"
	assert_json 'keys | sort == (["id","participant_from","participant_to","channel_type","status","message_count","unread_count",
		"title","last_message_at","created_at","updated_at","meta_data"] | sort)' true
}

@test "messages: every invalidation point drops exactly its key" {
	local name status rest
	for name in message.sent message.received conversation.updated conversation.read; do
		rcli MSET conversation:c1 1 conversation:c2 1 message:m1 1 message:m2 1 >/dev/null
		event "$name" '{"conversation_id":"c1","message_id":"m1"}'
		assert_json '[.keys, [.steps[].key]]' '[1,["conversation:c1"]]'
		assert_equal "$(keys_now | paste -sd' ')" 'conversation:c2 message:m1 message:m2'
	done
	for status in sent failed retry delivered; do
		rcli MSET conversation:c1 1 conversation:c2 1 message:m1 1 message:m2 1 >/dev/null
		event message.status "{\"message_id\":\"m1\",\"conversation_id\":\"c1\",\"status\":\"$status\"}"
		assert_json '[.keys, [.steps[].key]]' '[1,["message:m1"]]'
		assert_equal "$(keys_now | paste -sd' ')" 'conversation:c1 conversation:c2 message:m2'
	done
	# by hand, one entry and in bulk by pattern
	cc_run invalidate message m2 --yes -q
	cc_run invalidate conversation --all --yes -q
	assert_equal "$(keys_now)" ''
}

@test "messages: metrics under the names of the document" {
	cc_run get message "$MESSAGE"
	cc_run get message "$MESSAGE"
	cc_run get message "$MESSAGE"
	cc_run get conversation "$CONVERSATION"
	cc_run stats -o prom --metric-names app
	assert_exit 0
	local prom=$output
	counter() { grep -oP "^cache_operations_total\{operation=\"$1\",result=\"$2\",namespace=\"$3\"\} \K.*" <<<"$prom"; }
	assert_equal "$(counter get hit message) $(counter get miss message) $(counter set ok message)" '2 1 1'
	assert_equal "$(counter get miss conversation) $(counter set ok conversation)" '1 1'
	promtool check metrics <<<"$prom"
}

@test "messages: the target of more than 80 % is checked on the application's own traffic" {
	local there=(message:there conversation:there) away=(message:away conversation:away)
	rcli MSET message:there '{}' conversation:there '{}' >/dev/null
	application $(times 9 "${there[@]}") "${away[@]}" # 90 %
	sample_targets -o json
	assert_exit 0
	assert_json '[.namespaces[] | select(.sampled_reads > 0) | .hit_ratio > 0.85 and .hit_ratio < 0.95] | [length, all]' '[2,true]'
	stop "$APPLICATION"
	application $(times 3 "${there[@]}") "${away[@]}" # 75 %
	sample_targets
	assert_exit 1
	assert_stderr_line 'message: hit ratio 7'
	assert_stderr_line 'conversation: hit ratio 7'
}

@test "messages: REDIS_HOST, REDIS_PORT, REDIS_DB, REDIS_PASSWORD" {
	unset REDIS_URL
	TCP=1 REDIS_NAME=tcp start_redis --requirepass sesame
	export REDIS_HOST=127.0.0.1 REDIS_PORT=$REDIS_TCP_PORT REDIS_DB=2 REDIS_PASSWORD=sesame
	cc_run warm message -o json
	assert_exit 0
	assert_json .target "127.0.0.1:$REDIS_TCP_PORT/2"
	assert_equal "$(redis-cli -p "$REDIS_TCP_PORT" -a sesame --no-auth-warning -n 2 --scan --pattern 'message:*' | wc -l)" 12
	REDIS_PASSWORD=wrong cc_run ping
	assert_exit 4
}

@test "messages: a cache error never breaks a read; it is said, and the same answer comes" {
	same_without_redis get message "$MESSAGE"
	same_without_redis get conversation "$CONVERSATION"
	same_without_redis get message no-such-message
	rcli CONFIG SET maxmemory 1 >/dev/null # reads work, writes are refused
	rcli FLUSHALL >/dev/null
	cc_run get message "$MESSAGE"
	assert_exit 0
	assert_json .id "$MESSAGE"
	assert_stderr_line 'the value was not stored'
	stop_redis
	cc_run get message "$MESSAGE"
	assert_exit 0
	assert_json .id "$MESSAGE"
	assert_stderr_line 'the source answered'
}
