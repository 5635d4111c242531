#!/bin/sh
# Starts nats-server with what its configuration wants to know as variables: the passwords from files, which
# neither `docker inspect` nor a list of processes shows, and the addresses of the nodes in PEERS, if it is one of several.
#
#   start.sh FLAGS-OF-NATS-SERVER

set -eu

# load NAME FILE: in quotes, or a password of digits would be a number to nats-server.
load() {
	value=$(cat "$2")
	case $value in
	'' | *[!A-Za-z0-9]*) echo "start.sh: $2 must be letters and digits; deploy/make-secrets makes it" >&2; exit 2 ;;
	esac
	export "$1=\"$value\""
}

secrets=${SECRETS:-/run/secrets}
load PRODUCER_PASSWORD "$secrets/nats_producer"
load ALERTER_PASSWORD "$secrets/nats_alerter"
load READER_PASSWORD "$secrets/nats_reader"
load ADMIN_PASSWORD "$secrets/nats_admin"
if [ -n "${PEERS-}" ]; then
	load ROUTE_PASSWORD "$secrets/nats_route"
	routes=
	for peer in $PEERS; do
		routes="$routes\"nats-route://route:$value@$peer:6222\", "
	done
	export "ROUTES=[${routes%, }]"
fi
exec nats-server "$@"
