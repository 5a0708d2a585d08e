# Namespaces that store their values packed: get and inspect expand them, --raw and applications see the packed bytes.
load helpers
load verbs

setup() {
	sandbox
	start_system
	api_config "$(printf '"%s": { "key": "%s:{id}", "ttl": "5m", "json": false, "compress": %s,
		"source": { "use": "api", "get": "/things/{id}" } }' gz gz '"gzip"'),
		$(printf '"%s": { "key": "%s:{id}", "ttl": "5m", "compress": %s,
		"source": { "use": "api", "get": "/things/{id}" } }' zs zs '{ "codec": "zstd", "min": "1KiB" }')"
	jq -cn '{data: [range(200) | {id: ., name: "caller \(.)", cost: 1}]}' | tr -d '\n' >"$DIR/want"
	set_data /things/1 @"$DIR/want"
	set_data /things/2 '{"short":1}'
}

@test "the stored bytes are gzip, or zstd; get gives the source's bytes on miss and hit" {
	for pair in 'gz gzip' 'zs zstd'; do
		read -r ns tool <<<"$pair"
		for how in miss hit; do
			"$CCACHE" get $ns 1 >"$DIR/got"
			assert_equal_files "$DIR/want" "$DIR/got"
		done
		value_of $ns:1 >"$DIR/stored"
		"$tool" -dc <"$DIR/stored" >"$DIR/plain"
		assert_equal_files "$DIR/want" "$DIR/plain"
		(($(stat -c %s "$DIR/stored") < $(stat -c %s "$DIR/want") / 4))
	done
	assert_equal "$(upstream_count /things/1)" 2
	cc_run get gz 1 --meta
	assert_json '[.meta.cacheHit, (.data.data | length)]' '[true,200]'
}

@test "warm stores them packed and counts what it stored" {
	cc_run warm gz 1 -o json
	assert_exit 0
	assert_adds_up
	assert_json .bytes "$(rcli STRLEN gz:1)"
	value_of gz:1 | gzip -dc >"$DIR/plain"
	assert_equal_files "$DIR/want" "$DIR/plain"
	"$CCACHE" get gz 1 --no-fetch >"$DIR/got"
	assert_equal_files "$DIR/want" "$DIR/got"
}

@test "below the minimum, and where nothing is saved, the bytes stay plain" {
	set_data /things/3 "$(head -c 60 /dev/urandom | base64 -w0)"
	for pair in 'zs 2 {"short":1}' 'gz 2 {"short":1}'; do
		read -r ns id want <<<"$pair"
		"$CCACHE" get $ns $id >"$DIR/got"
		assert_equal "$(value_of $ns:$id)" "$want"
		assert_equal "$("$CCACHE" get $ns $id --no-fetch)" "$want"
	done
}

@test "plain values of other writers are read as they are" {
	rcli SET gz:9 '{"plain":true}' >/dev/null
	assert_equal "$("$CCACHE" get gz 9)" '{"plain":true}'
	# and of the codec that the namespace had before
	zstd -qc <"$DIR/want" >"$DIR/packed"
	rcli -x SET gz:8 <"$DIR/packed" >/dev/null
	"$CCACHE" get gz 8 >"$DIR/got"
	assert_equal_files "$DIR/want" "$DIR/got"
}

@test "an archive comes back as the archive" {
	head -c 30 "$DIR/want" | gzip -n >"$DIR/archive"
	set_data /things/4 @"$DIR/archive" -H 'Content-Type: application/octet-stream'
	for how in miss hit; do
		"$CCACHE" get gz 4 >"$DIR/got"
		assert_equal_files "$DIR/archive" "$DIR/got"
	done
	assert_equal "$(upstream_count /things/4)" 1
}

@test "a damaged value: the source answers with a warning; exit 3 without one" {
	gzip -n <"$DIR/want" | head -c 100 | rcli -x SET gz:1 >/dev/null
	"$CCACHE" get gz 1 >"$DIR/got" 2>"$DIR/err"
	assert_equal_files "$DIR/want" "$DIR/got"
	grep -F "GET 'gz:1': gzip: the bytes end early; the source answered" "$DIR/err"
	cc_run get gz 1 --no-fetch
	assert_exit 3
	assert_stderr_line "GET 'gz:1': gzip: the bytes end early"
	# --refresh mends it
	"$CCACHE" get gz 1 --refresh >/dev/null
	"$CCACHE" get gz 1 --no-fetch >"$DIR/got"
	assert_equal_files "$DIR/want" "$DIR/got"
}

@test "inspect expands, names the codec and both lengths; --raw keeps the stored bytes" {
	"$CCACHE" warm gz 1 2>/dev/null
	cc_run inspect gz 1 -o json
	assert_exit 0
	assert_json '[.codec, .length, .stored_length, .format, (.value.data | length)]' \
		"[\"gzip\",$(stat -c %s "$DIR/want"),$(rcli STRLEN gz:1),null,200]"
	cc_run inspect gz 1
	assert_output --regexp 'Codec +gzip'
	assert_output --partial '      "name": "caller 199",'
	"$CCACHE" inspect gz 1 --raw >"$DIR/raw"
	value_of gz:1 >"$DIR/stored"
	assert_equal_files "$DIR/stored" "$DIR/raw"
	cc_run inspect zs 2 -o json
	assert_exit 1
	"$CCACHE" get zs 2 >/dev/null
	cc_run inspect zs 2 -o json
	assert_json '[.codec, .length, .stored_length]' '[null,11,11]'
}

@test "inspect expands what no namespace claims, and shows the beginning of a value that it cut" {
	gzip -n <"$DIR/want" | rcli -x SET stray >/dev/null
	cc_run inspect --key stray -o json
	assert_json '[.namespace, .codec, (.value.data | length)]' '[null,"gzip",200]'
	cc_run inspect --key stray --max-value 200
	assert_exit 0
	assert_output --partial '"name": "caller 0",'
	refute_output --partial '"name": "caller 199",'
	cc_run inspect --key stray --max-value 200 -o json
	assert_json '[.codec, .length, .stored_length, .cut]' "[\"gzip\",null,$(rcli STRLEN stray),true]"
}

@test "a bomb is refused by its size and shown as stored" {
	head -c 70000000 /dev/zero | gzip -n >"$DIR/bomb"
	rcli -x SET bomb <"$DIR/bomb" >/dev/null
	cc_run inspect --key bomb --max-value 1MiB
	assert_exit 0
	assert_stderr_line 'expand to more than 64 MiB: refused'
	assert_output --partial '00000000: 1f8b 08'
}

@test "inspect names the serializations of frameworks" {
	printf '\x80\x04\x95\x0a\0\0\0\0\0\0\0}\x94\x8c\x01a\x94K\x01s.' | rcli -x SET django >/dev/null
	printf 'a:1:{i:0;s:1:"x";}' | rcli -x SET php >/dev/null
	printf '\x04\x08[\x08i\x06i\x07i\x08' | gzip -n | rcli -x SET ruby >/dev/null
	for pair in 'django=Python pickle (django-redis)' 'php=PHP serialize' 'ruby=Ruby Marshal'; do
		cc_run inspect --key "${pair%%=*}" -o json
		assert_json .format "${pair#*=}"
	done
	cc_run inspect --key django
	assert_output --partial '00000000: 8004 950a'
	assert_output --regexp 'Format +Python pickle'
}

@test "config: a codec that does not exist, a type that is no string" {
	for pair in '"compress": "lz4"=unknown compress' '"type": "set", "compress": "gzip"=only strings are stored packed'; do
		printf '{ "namespaces": { "a": { "key": "a:{x}", "ttl": 1, %s } } }' "${pair%%=*}" >"$DIR/config.json"
		cc_run config check "$DIR/config.json"
		assert_exit 2
		assert_output --partial "${pair##*=}"
	done
}
