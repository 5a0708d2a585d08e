#!/bin/sh
# tools/deps.sh GROUP… : installs the Debian packages of the groups build,
# demo, tests, lint, fuzz and valgrind that are missing. Says what it does; starts no daemon.
set -eu

# The server to run things on. REDIS_SERVER=valkey-server is a package too; what is in PATH already, or given with its
# path, needs none.
case ${REDIS_SERVER:=redis-server} in
redis-server) server=redis-server ;;
*/*) server='' ;;
*) server=$(command -v "$REDIS_SERVER" >/dev/null || echo "$REDIS_SERVER") ;;
esac

build='gcc make pkg-config libhiredis-dev libcurl4-openssl-dev libcjson-dev libsmartcols-dev
libreadline-dev zlib1g-dev libzstd-dev libmicrohttpd-dev'
demo=$server
tests="ca-certificates $server bats bats-support bats-assert nginx-light microsocks openssl tmux jq curl procps universal-ctags
socat time zstd mandoc prometheus nodejs
python3-jsonschema postgresql less zsh fish bash-completion iproute2"
lint='clang-format clang-tidy cppcheck shellcheck mandoc'
fuzz='clang'
valgrind='valgrind'
policy=${POLICY_RC_D:-/usr/sbin/policy-rc.d}

packages_of() {
	for group in "$@"; do
		case $group in
		build) echo "$build" ;;
		demo) echo "$demo" ;;
		tests) echo "$tests" ;;
		fuzz) echo "$fuzz" ;;
		valgrind) echo "$valgrind" ;;
		lint) echo "$lint universal-ctags" ;;
		*)
			echo "deps: no group '$group'; there are build, demo, tests, lint, fuzz, valgrind" >&2
			exit 2
			;;
		esac
	done | tr -s ' ' '\n' | sed '/^$/d' | sort -u
}

# Those of $1 that dpkg does not have; a provider of nginx-light's files will do.
missing_of() {
	dpkg-query -W -f '${Package} ${db:Status-Status}\n' 2>/dev/null |
		awk -v wanted="$1" '
			$2 == "installed" { here[$1] = 1 }
			END {
				n = split(wanted, names, /[ \n]+/)
				for (i = 1; i <= n; i++) {
					name = names[i]
					if (name == "pkg-config" && here["pkgconf"]) continue
					if (name == "nginx-light" && (here["nginx-core"] || here["nginx-full"] || here["nginx-extras"])) continue
					if (!here[name]) print name
				}
			}'
}

one_line() { echo "$1" | tr '\n' ' ' | sed 's/ $//'; }

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "deps: must be root for: $*" >&2
		echo "deps: there is no sudo here; install these as root, then run make again: $(one_line "$missing")" >&2
		exit 1
	fi
}

# Debian packages start their daemons on installation unless this policy says no (invoke-rc.d(8)).
forbid_daemons() {
	[ -e "$policy" ] && return
	trap 'as_root rm -f "$policy"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
	as_root chmod 755 "$policy"
}

apt() { as_root env DEBIAN_FRONTEND=noninteractive apt-get "$@"; }

wanted=$(packages_of "$@")
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	echo "deps: this system has no apt. Install what these Debian packages hold, then run make with" >&2
	echo "deps: DEPS=skip in the environment: $(one_line "$wanted")" >&2
	[ "${DEPS:-}" = skip ] && exit 0
	exit 1
fi
[ "${DEPS:-}" = skip ] && exit 0
missing=$(missing_of "$wanted")
[ -n "$missing" ] || exit 0

echo "deps: installing with apt-get: $(one_line "$missing")"
forbid_daemons
apt update -qq
# shellcheck disable=SC2086 # the names are words
apt install -qq -y --no-install-recommends $missing
