#!/bin/sh
# Builds the image, runs it as its users should (no privileges, nothing writable but /data) and asks it what it promises.
#   BASE           the base image; where it is not given one is made of Debian's packages by debootstrap
#   BUILD_OPTIONS  options more for `buildah build`, such as the --volume of a pip.conf behind a proxy
# What is missing is named, and the check is skipped; where CI=true that is a failure.
set -eu
cd "$(dirname "$0")/.."

skip() {
  echo "image-check: skipped: $1" >&2
  if [ "${CI:-}" = true ]; then exit 1; else exit 0; fi
}
fail() {
  echo "image-check: $1" >&2
  [ ! -f "$work/log" ] || tail -n 20 "$work/log" >&2
  exit 1
}
for tool in buildah podman runc curl; do
  command -v "$tool" >/dev/null 2>&1 || skip "no $tool"
done
[ -n "${BASE:-}" ] || command -v debootstrap >/dev/null 2>&1 || skip "no BASE, and no debootstrap to make one"
[ -n "${BASE:-}" ] || [ "$(id -u)" = 0 ] || skip "debootstrap needs root; say BASE=..."

image=localhost/cexwatch:check
name=cexwatch-check-$$
page=http://127.0.0.1:9877
work=$(mktemp -d)
# vfs works wherever files can be copied; other drivers need what a container or an old kernel may not give.
builder="buildah --storage-driver vfs"
engine="podman --storage-driver vfs --cgroup-manager cgroupfs"
clean() {
  $engine rm --force --volumes "$name" >/dev/null 2>&1 || true
  $engine volume rm --force "$name-freeze" "$name-witness" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap clean EXIT
trap 'exit 1' INT TERM

if [ -z "${BASE:-}" ]; then
  BASE=localhost/cexwatch-base:check
  if ! $engine image exists "$BASE"; then
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$work/root" >"$work/log" 2>&1 ||
      fail "the base could not be made"
    rm -rf "$work"/root/var/cache/apt/archives/*.deb "$work"/root/var/lib/apt/lists/*
    tar -C "$work/root" -c . | $engine import --quiet - "$BASE" >/dev/null
    rm -rf "$work/root"
  fi
fi

pull=--pull-never
case $BASE in localhost/*) ;; *) pull=--pull-missing ;; esac
# shellcheck disable=SC2086
$builder build --isolation chroot $pull --format docker --build-arg "BASE=$BASE" \
  --build-arg "VERSION=check" --build-arg "REVISION=$(git rev-parse HEAD 2>/dev/null || echo unknown)" --build-arg "CREATED=$(date -u +%Y-%m-%dT%H:%M:%SZ)" \
  ${BUILD_OPTIONS:-} --tag "$image" . >"$work/log" 2>&1 || fail "the image could not be built"

megabytes() { echo $(($($engine image inspect --format '{{.Size}}' "$1") / 1000000)); }
echo "size: $(megabytes "$image") MB, of which $(megabytes "$BASE") MB are the base"
[ "$($engine image inspect --format '{{.User}}' "$image")" = 10001:10001 ] || fail "it does not run as 10001:10001"

contained="--runtime runc --network host --ulimit nofile=1024:1024 --ulimit nproc=1024:1024
  --read-only --read-only-tmpfs=false --cap-drop all --security-opt no-new-privileges"
python=/opt/cexwatch/bin/python
# shellcheck disable=SC2086
$engine run --rm $contained --entrypoint "$python" "$image" -c '
import pathlib, tempfile
for folder in ("/", "/tmp", "/etc/cexwatch", "/opt/cexwatch"):
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        continue
    raise SystemExit(f"{folder} can be written")
tempfile.TemporaryFile(dir="/data").close()
' >"$work/log" 2>&1 || fail "more or less than /data can be written"
echo "writable: /data alone"

# shellcheck disable=SC2086
$engine run --detach --name "$name" $contained "$image" >/dev/null 2>"$work/log" || fail "it does not run"
logs() { $engine logs "$name" >"$work/log" 2>&1 || true; }
tries=0
until curl --silent --fail --max-time 2 "$page/readyz" >/dev/null; do
  tries=$((tries + 1))
  if [ "$tries" -gt 60 ]; then
    logs
    fail "it was not ready within a minute"
  fi
  sleep 1
done
for path in /healthz / /metrics; do
  curl --silent --fail --max-time 10 --output "$work/answer" "$page$path" || fail "$path does not answer"
  echo "$path: $(wc -c <"$work/answer") bytes"
done
grep --quiet '^cexwatch_build_info{' "$work/answer" || fail "no cexwatch_build_info in /metrics"
$engine exec "$name" "$python" -m monitor.web.health || fail "its health check says no"
echo "health check: well"

# A notification goes through a process of its own: it must start where nothing can be written, and know its URLs.
fates=$(echo '{"urls":["json://127.0.0.1:9/"],"title":"","text":"","tone":"info"}' |
  $engine exec --interactive "$name" "$python" -m monitor.notify.apprise_process) || fail "apprise cannot be run"
case $fates in *'"ok":true'*) echo "apprise: runs" ;; *) fail "apprise says $fates" ;; esac

began=$(date +%s)
$engine stop --time 20 "$name" >"$work/log" 2>&1 || fail "it cannot be stopped"
took=$(($(date +%s) - began))
code=$($engine inspect --format '{{.State.ExitCode}}' "$name")
logs
[ "$code" = 0 ] || fail "stopped with exit code $code"
[ "$took" -lt 10 ] || fail "it took $took s to stop"
echo "stopped: exit code 0 after $took s"

# The freeze gate of the same image, as compose.yaml has it. Nobody tells it the time here: it serves, and ends no freeze.
mkdir "$work/secrets"
volumes="--volume $name-freeze:/data --volume $name-witness:/witness --volume $work/secrets:/run/secrets
  --volume $PWD/deploy/compose/freeze.yaml:/etc/cexwatch-freeze/freeze.yaml:ro"
config=/etc/cexwatch-freeze/freeze.yaml
# shellcheck disable=SC2086
$engine run --rm $contained $volumes --user 0 "$image" freeze keygen /run/secrets >"$work/log" 2>&1 ||
  fail "no keys can be made for the freeze gate"
chown 10001 "$work"/secrets/*
# shellcheck disable=SC2086
$engine run --rm $contained $volumes "$image" freeze init --config $config >"$work/log" 2>&1 ||
  fail "the freeze gate's ledger cannot be begun"
$engine rm --force --volumes "$name" >/dev/null 2>&1
# shellcheck disable=SC2086
$engine run --detach --name "$name" $contained $volumes "$image" freeze serve --config $config >/dev/null 2>"$work/log" ||
  fail "the freeze gate does not run"
tries=0
until curl --silent --fail --max-time 2 http://127.0.0.1:9878/readyz >/dev/null; do
  tries=$((tries + 1))
  if [ "$tries" -gt 60 ]; then
    logs
    fail "the freeze gate was not ready within a minute"
  fi
  sleep 1
done
$engine exec "$name" "$python" -m monitor.web.health http://127.0.0.1:9878/healthz || fail "its health check says no"
$engine stop --time 20 "$name" >"$work/log" 2>&1 || fail "the freeze gate cannot be stopped"
code=$($engine inspect --format '{{.State.ExitCode}}' "$name")
logs
[ "$code" = 0 ] || fail "the freeze gate stopped with exit code $code"
echo "freeze gate: begun, ready, stopped"
