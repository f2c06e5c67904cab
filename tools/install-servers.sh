#!/bin/sh
# Installs the real servers that the tests run against, where it may. What is missing afterwards is skipped by name,
# or fails where CI=true. Debian packages are kept from starting daemons of their own.
set -eu
cd "$(dirname "$0")/.."

# Both in one call: npm takes away what it installed without saving and is not asked for again.
anvil=.tools/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil
axe=.tools/node_modules/axe-core/axe.min.js
if { [ ! -x "$anvil" ] || [ ! -f "$axe" ]; } && command -v npm >/dev/null 2>&1; then
  npm install --silent --no-save --no-audit --no-fund --prefix .tools \
    @foundry-rs/anvil-linux-amd64@1.7.1 axe-core@4.13.0 ||
    echo "anvil or axe-core could not be installed: the tests against them are skipped" >&2
fi

missing=""
command -v promtool >/dev/null 2>&1 || missing="$missing prometheus"
command -v prometheus-blackbox-exporter >/dev/null 2>&1 || missing="$missing prometheus-blackbox-exporter"
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v prometheus-alertmanager >/dev/null 2>&1 || missing="$missing prometheus-alertmanager"
command -v litecoind >/dev/null 2>&1 || missing="$missing litecoind"
[ -x /usr/lib/postgresql/15/bin/initdb ] || missing="$missing postgresql"
if [ -n "$missing" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  policy=/usr/sbin/policy-rc.d
  ours=no
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    ours=yes
  fi
  # shellcheck disable=SC2086
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } \
    >.tools-apt.log 2>&1 || echo "not installed:$missing (see .tools-apt.log); their tests are skipped" >&2
  [ "$ours" = no ] || rm -f "$policy"
fi
