#!/bin/sh
# Makes sure that PostgreSQL's server programs are installed. The tests run clusters of their own
# with them, so no system cluster is created or started. Does nothing where they are installed.
set -eu

installed() {
    for postgres in "$(command -v postgres || true)" /usr/lib/postgresql/*/bin/postgres; do
        if [ -x "$postgres" ] && [ -x "$(dirname "$(readlink -f "$postgres")")/initdb" ]; then
            echo "PostgreSQL is installed: $postgres"
            return 0
        fi
    done
    return 1
}

if installed; then
    exit 0
fi

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    cat >&2 <<'HOW'
PostgreSQL's server programs (initdb, postgres) are not installed. Install them and run this again:
  Debian, Ubuntu   sudo ops/ci/postgres.sh
  Fedora           sudo dnf install postgresql-server
  macOS            brew install postgresql
HOW
    exit 1
fi

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# Debian's package creates and starts a cluster unless this file, which comes first, says otherwise.
apt-get install -y -qq --no-install-recommends postgresql-common
sed -i 's/^#\{0,1\} *create_main_cluster.*/create_main_cluster = false/' \
    /etc/postgresql-common/createcluster.conf
apt-get install -y -qq --no-install-recommends postgresql
installed
