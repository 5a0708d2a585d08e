# The house itself: the test runner, dependencies, installation, the checkers, the demo.
load helpers

# program FILE: an executable from standard input.
program() {
	mkdir -p "$(dirname "$1")"
	cat >"$1"
	chmod +x "$1"
}

# --- tests/run ---

@test "runner: passed tests of several programs are added up" {
	program "$DIR/a" <<<'#!/bin/sh
printf "ok 1 - x\nok 2 - y # skip no reason\n1..2\n"'
	program "$DIR/b.bats" <<<'@test "one" { true; }'
	run "$ROOT/tests/run" "$DIR/a" "$DIR/b.bats"
	assert_exit 0
	assert_line '1 skipped'
	assert_equal "${lines[-1]}" '2 passed, 0 failed'
}

@test "runner: a failed test fails the run, its output is shown" {
	program "$DIR/a" <<<'#!/bin/sh
printf "# why\nnot ok 1 - x\nok 2 - y\n1..2\n"; exit 1'
	run "$ROOT/tests/run" "$DIR/a"
	assert_exit 1
	assert_line '# why'
	assert_equal "${lines[-1]}" '1 passed, 1 failed'
}

@test "runner: a crash, a broken plan, no plan and a bad exit status are failures" {
	program "$DIR/crash" <<<'#!/bin/sh
printf "ok 1 - x\n"; kill -SEGV $$'
	program "$DIR/short" <<<'#!/bin/sh
printf "1..3\nok 1 - x\nok 2 - y\n"'
	program "$DIR/planless" <<<'#!/bin/sh
echo "ok 1 - x"'
	program "$DIR/status" <<<'#!/bin/sh
printf "ok 1 - x\n1..1\n"; exit 3'
	for name in crash short planless status missing; do
		run "$ROOT/tests/run" "$DIR/$name"
		assert_exit 1
		[[ ${lines[-1]} == *' passed, 1 failed' ]] || fail "$name: ${lines[-1]}"
	done
}

@test "runner: no test at all is a failure" {
	run "$ROOT/tests/run"
	assert_exit 1
	assert_output '0 passed, 0 failed'
}

# --- REDIS_SERVER ---

@test "another server: its programs answer to the names of Redis, in tests, demo and benchmarks" {
	local part
	for part in server cli check-aof; do program "$DIR/other/else-$part" <<<'#!/bin/sh
echo "$0 is else"'; done
	program "$DIR/a" <<<'#!/bin/sh
echo "1..1"
{ redis-server; redis-cli; redis-check-aof; } | grep -c "/redis-.* is else$" | grep -qx 3 && echo "ok 1 - x"'
	for server in "$DIR/other/else-server" else-server; do
		PATH=$DIR/other:$PATH REDIS_SERVER=$server run "$ROOT/tests/run" "$DIR/a"
		assert_output --partial '1 passed, 0 failed'
		assert_exit 0
	done
	rm "$DIR/other/else-cli"
	for tool in 'tests/run a' tools/demo.sh 'tools/bench/run follow'; do
		# shellcheck disable=SC2086 # words
		REDIS_SERVER=$DIR/other/else-server run "$ROOT"/$tool
		assert_output --partial "REDIS_SERVER=$DIR/other/else-server: no such program, or no $DIR/other/else-cli beside it"
		[[ $status != 0 ]] || fail "$tool: exit 0"
	done
	assert_equal "$(compgen -G "$DIR/ccache-*")" ''
}

# --- tools/deps.sh ---

# A machine with apt where only gcc is installed; its calls are noted in $DIR/calls.
fake_apt() {
	program "$DIR/apt/dpkg-query" <<<'#!/bin/sh
printf "gcc installed\nmake config-files\n"'
	program "$DIR/apt/apt-get" <<<'#!/bin/sh
echo "apt-get $*" >>"$DIR/calls"
[ -e "$POLICY_RC_D" ] && echo "policy $("$POLICY_RC_D" x; echo $?)" >>"$DIR/calls"
[ "$1" != install ] || exit ${FAKE_STATUS:-0}'
	program "$DIR/apt/sudo" <<<'#!/bin/sh
exec "$@"'
	export DIR POLICY_RC_D=$DIR/policy-rc.d
	PATH=$DIR/apt:$PATH
}

@test "deps: names what is missing, installs only that, forbids daemons meanwhile" {
	fake_apt
	run "$ROOT/tools/deps.sh" build
	assert_exit 0
	assert_line --regexp '^deps: installing with apt-get: .*libhiredis-dev.* make '
	refute_output --regexp '\bgcc\b'
	run cat "$DIR/calls"
	assert_line --index 0 'apt-get update -qq'
	assert_line --index 1 'policy 101'
	assert_line --regexp '^apt-get install .*libhiredis-dev'
	[[ ! -e $POLICY_RC_D ]]
}

@test "deps: the server is the one that was named, unless it is there" {
	fake_apt
	for name in redis-server nosuch-server "$DIR/x/nosuch-server"; do
		REDIS_SERVER=$name DEPS='' run "$ROOT/tools/deps.sh" tests
		assert_exit 0
		case $name in
		*/*) [[ $output != *-server* ]] || fail "$output" ;;
		*) [[ $output == *" $name "* && ${output/ $name / } != *-server* ]] || fail "$output" ;;
		esac
	done
	program "$DIR/apt/valkey-server" <<<'#!/bin/sh'
	REDIS_SERVER=valkey-server run "$ROOT/tools/deps.sh" tests
	assert_exit 0
	[[ $output != *-server* ]] || fail "$output"
}

@test "deps: the policy goes also when apt fails; one that was there stays" {
	fake_apt
	FAKE_STATUS=100 run "$ROOT/tools/deps.sh" build
	assert_exit 100
	[[ ! -e $POLICY_RC_D ]]
	program "$POLICY_RC_D" <<<'#!/bin/sh
exit 104'
	run "$ROOT/tools/deps.sh" build
	assert_exit 0
	grep -q 'policy 104' "$DIR/calls"
	[[ -e $POLICY_RC_D ]]
}

@test "deps: nothing is missing: says nothing, calls nothing" {
	fake_apt
	program "$DIR/apt/dpkg-query" <<-EOF2
		#!/bin/sh
		for name in \$(sed -n "/^build='/,/'/p" "$ROOT/tools/deps.sh" | tr -d "'" | sed 's/build=//'); do echo "\$name installed"; done
	EOF2
	run "$ROOT/tools/deps.sh" build
	assert_exit 0
	assert_output ''
	[[ ! -e $DIR/calls ]]
}

@test "deps: without apt it names the packages and stops" {
	mkdir "$DIR/bin"
	for name in sh tr sort sed id env; do ln -s "$(command -v $name)" "$DIR/bin/$name"; done
	PATH=$DIR/bin run "$ROOT/tools/deps.sh" build tests
	assert_exit 1
	assert_output --partial 'no apt'
	assert_output --partial 'libhiredis-dev'
	DEPS=skip PATH=$DIR/bin run "$ROOT/tools/deps.sh" build tests
	assert_exit 0
}

# --- install ---

ours() {
	program "$DIR/ours" <<<'#!/bin/sh
echo "ccache 0.1.0, the Call Cache toolkit"'
}

@test "install: puts the program, the profiles; uninstall removes them" {
	ours
	cd "$ROOT" || return 1
	run "$ROOT/tools/install.sh" "$DIR/ours" "$DIR/root/usr" callcache "$DIR/root"
	assert_exit 0
	[[ -x $DIR/root/usr/bin/callcache && -f $DIR/root/usr/share/callcache/profiles/leads.json ]]
	run "$ROOT/tools/install.sh" "$DIR/ours" "$DIR/root/usr" callcache "$DIR/root"
	assert_exit 0
	run "$ROOT/tools/uninstall.sh" "$DIR/root/usr" callcache
	assert_exit 0
	assert_equal "$(find "$DIR/root" -type f)" ''
}

@test "install: a foreign ccache is neither overwritten nor removed, FORCE=1 overwrites it" {
	ours
	program "$DIR/root/bin/ccache" <<<'#!/bin/sh
echo "ccache version 4.8 (C/C++ compiler cache)"'
	cd "$ROOT" || return 1
	run --separate-stderr "$ROOT/tools/install.sh" "$DIR/ours" "$DIR/root" ccache /dest
	assert_exit 1
	assert_stderr_line 'PROGRAM=callcache'
	run --separate-stderr "$ROOT/tools/uninstall.sh" "$DIR/root" ccache
	assert_exit 1
	grep -q compiler "$DIR/root/bin/ccache"
	FORCE=1 run "$ROOT/tools/install.sh" "$DIR/ours" "$DIR/root" ccache /dest
	assert_exit 0
	cmp "$DIR/ours" "$DIR/root/bin/ccache"
}

@test "install: another program of that name in front on PATH is mentioned" {
	ours
	program "$DIR/first/ccache" <<<'#!/bin/sh
true'
	cd "$ROOT" || return 1
	PATH=$DIR/first:$PATH run --separate-stderr "$ROOT/tools/install.sh" "$DIR/ours" "$DIR/root" ccache ''
	assert_exit 0
	assert_stderr_line "$DIR/first/ccache, which comes before"
}

# --- checkers ---

# A copy of the checkers over a source tree of its own.
lint_tree() {
	mkdir -p "$DIR/tree/tools" "$DIR/tree/cmd"
	cp -r "$ROOT/tools/lint" "$DIR/tree/tools/"
	mkdir -p "$DIR"/tree/src/{base,opt,out,wire,source,core}
}

@test "lint: includes against the grain, libraries and escapes outside their rooms are found" {
	lint_tree
	cd "$DIR/tree" || return 1
	echo '#include "core/config.h"' >src/core/fine.c
	run tools/lint/layers.sh
	assert_exit 0
	echo '#include "core/config.h"' >src/wire/up.c
	echo '#include "source/source.h"' >src/wire/peer.c
	echo '#include "out/sink.h"' >src/core/out.c
	echo '#include <hiredis/hiredis.h>' >cmd/get.c
	echo 'x = curl_multi_init();' >src/core/multi.c
	echo 'puts("\033[1m");' >cmd/warm.c
	run tools/lint/layers.sh
	assert_exit 1
	for place in src/wire/up.c:1 src/wire/peer.c:1 src/core/out.c:1 cmd/get.c:1 src/core/multi.c:1 cmd/warm.c:1; do
		assert_output --partial "$place"
	done
	assert_equal "$(grep -c ':1:' <<<"$output")" 6
}

@test "lint: banned calls are found outside src/base only" {
	lint_tree
	cd "$DIR/tree" || return 1
	echo 'n = strtol(text, NULL, 10); buf_printf(x); my_system(1);' >src/base/num.c
	echo 'buf_printf(b); my_sprintf(b); p->gets(b);' >src/core/fine.c
	run tools/lint/banned.sh
	assert_exit 0
	echo 'if (atoi(text))' >src/core/bad.c
	echo 'sprintf(text, "x");' >cmd/bad.c
	run tools/lint/banned.sh
	assert_exit 1
	assert_output --partial src/core/bad.c:1
	assert_output --partial cmd/bad.c:1
}

@test "lint: long functions and files are found" {
	lint_tree
	cd "$DIR/tree" || return 1
	{ echo 'int f(void)' && echo '{' && yes '	g();' | head -97 && echo '}'; } >src/core/f.c
	run tools/lint/length.sh
	assert_exit 0
	{ echo 'int h(void)' && echo '{' && yes '	g();' | head -98 && echo '}'; } >src/core/h.c
	yes '' | head -501 >src/core/long.h
	run tools/lint/length.sh
	assert_exit 1
	assert_output --partial 'src/core/h.c:1:h: 101 lines'
	assert_output --partial 'src/core/long.h: 501 lines'
}

# --- demo ---

# The demo with a stand-in for the program that notes its arguments.
fake_build() {
	program "$DIR/build/ccache" <<<'#!/bin/sh
echo "$REDIS_URL" >"$DIR/redis-url"
echo "$*" >>"$DIR/story"
case " $* " in *" $FAIL_ON "*) exit 4 ;; *" $HANG_ON "*) exec sleep 30 ;; esac'
	ln -s "$UPSTREAM" "$DIR/build/upstream"
	export DIR BUILD=$DIR/build PROGRAM=ccache FAIL_ON=none HANG_ON=none
}

# What the demo may leave behind: processes that work in or talk to its directory, and the directory.
left_behind() {
	local sandbox
	sandbox=$(dirname "$(sed 's|^unix://||' "$DIR/redis-url")")
	[[ $sandbox == "$DIR"/tmp.*.ccache-demo ]] || fail "unexpected sandbox: $sandbox"
	compgen -G "$sandbox" || true
	grep -lsF "$sandbox" /proc/[0-9]*/cmdline /proc/[0-9]*/environ || true
}

@test "demo: tells its story and leaves nothing behind" {
	fake_build
	run "$ROOT/tools/demo.sh"
	assert_exit 0
	assert_line '$ ccache warm --all'
	assert_equal "$(grep -c . "$DIR/story")" 9
	assert_equal "$(left_behind)" ''
}

@test "demo: a failing command ends it, named" {
	fake_build
	for verb in invalidate get; do
		FAIL_ON=$verb run "$ROOT/tools/demo.sh"
		assert_exit 1
		assert_output --partial "this failed with exit status 4: ccache $verb call-logs"
		assert_equal "$(left_behind)" ''
	done
}

@test "demo: SIGTERM and Ctrl-C in the middle leave nothing behind" {
	fake_build
	export HANG_ON=inspect
	for signal in TERM INT; do
		rm -f "$DIR/story"
		# As a terminal's Ctrl-C does, to the whole group; setsid makes it one, perl-less and with SIGINT on.
		in_background demo.log setsid env --default-signal=INT "$ROOT/tools/demo.sh"
		wait_for grep -qs inspect "$DIR/story"
		kill "-$signal" "-$STARTED"
		wait_for gone "$STARTED"
		assert_equal "$(left_behind)" ''
	done
}

@test "demo: an interruption that takes its reader along leaves nothing behind" {
	fake_build
	export HANG_ON=inspect
	mkfifo "$DIR/reader"
	exec 8<>"$DIR/reader"
	in_background demo.log setsid env --default-signal=INT,PIPE bash -c 'exec "$0" >"$1" 8>&-' "$ROOT/tools/demo.sh" "$DIR/reader"
	wait_for grep -qs inspect "$DIR/story"
	exec 8>&-
	kill -INT "-$STARTED"
	wait_for gone "$STARTED"
	assert_equal "$(left_behind)" ''
}

@test "demo: DEMO_SHELL=1 gives a shell against the sandbox" {
	fake_build
	program "$DIR/shell" <<<'#!/bin/sh
redis-cli -s "${REDIS_URL#unix://}" PING >"$DIR/shell-says"
curl -fsS "$LEADS_DB_URL/leads" >>"$DIR/shell-says"
command -v ccache >>"$DIR/shell-says"'
	DEMO_SHELL=1 SHELL=$DIR/shell run "$ROOT/tools/demo.sh"
	assert_exit 0
	assert_equal "$(head -2 "$DIR/shell-says")" "PONG
[]$(grep -o '/.*/bin/ccache' "$DIR/shell-says")"
}
