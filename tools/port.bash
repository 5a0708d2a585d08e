# shellcheck shell=bash
# Sourced by whatever starts servers on TCP: tests/helpers.bash, tools/bench/common.bash.

# A port of 127.0.0.1 that nothing listens on, from below the ephemeral range so that no client takes it meanwhile.
free_port() {
	local port
	while :; do
		port=$((10240 + (RANDOM << 15 | RANDOM) % 22000))
		(exec 9<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
	done
	echo "$port"
}
