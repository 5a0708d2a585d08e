#!/bin/sh
# tests/certs/make.sh DIRECTORY : a certificate authority and what tests need of
# it. NAME.pem with NAME.key for each of
#   ca         the authority
#   server     localhost, 127.0.0.1, ::1
#   expired    the same names, over since 2020
#   othername  elsewhere.example
#   client     for mutual TLS, CN=ccache-client
#   stranger   localhost, signed by itself
set -eu
mkdir -p "$1"
cd "$1"
loopback='DNS:localhost,IP:127.0.0.1,IP:::1'

new_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }

# self_signed NAME EXTENSIONS…
self_signed() {
	name=$1
	shift
	new_key "$name"
	openssl req -x509 -new -key "$name.key" -subj "/CN=ccache test $name" -days 2 -out "$name.pem" "$@"
}

# signed NAME CN SAN USAGE : by the authority, valid from VALID_FROM to VALID_TO.
signed() {
	new_key "$1"
	openssl req -new -key "$1.key" -subj "/CN=$2" -out "$1.csr"
	printf 'subjectAltName=%s\nextendedKeyUsage=%s\nbasicConstraints=CA:FALSE\n' "$3" "$4" >"$1.ext"
	openssl ca -batch -config ca.conf -in "$1.csr" -out "$1.pem" -extfile "$1.ext" -notext \
		-startdate "$VALID_FROM" -enddate "$VALID_TO"
	rm -f "$1.csr" "$1.ext"
}

# openssl x509 cannot backdate; openssl ca can, and wants this.
cat >ca.conf <<'CONF'
[ca]
default_ca = tests
[tests]
database = index.txt
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
policy = any
rand_serial = yes
unique_subject = no
copy_extensions = none
[any]
commonName = supplied
CONF
: >index.txt

self_signed ca -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
self_signed stranger -addext "subjectAltName=$loopback"
VALID_FROM=20200101000000Z VALID_TO=$(date -u -d '+2 days' +%Y%m%d%H%M%SZ)
signed server localhost "$loopback" serverAuth
signed othername elsewhere.example DNS:elsewhere.example serverAuth
signed client ccache-client DNS:ccache-client clientAuth
VALID_TO=20200201000000Z
signed expired localhost "$loopback" serverAuth
rm -f ca.conf index.txt* [0-9A-F]*.pem
