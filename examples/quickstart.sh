#!/usr/bin/env bash
# From a fresh machine to answers: installs what is missing, builds the inlay command, embeds this repository's own sources into
# build/quickstart.index, and asks it two questions. Safe to repeat: a second run builds and embeds only what changed.
#
#   bash examples/quickstart.sh
#
# A build/release that is there already is used as it is configured; otherwise it is configured without tests and benchmarks, which
# tests/run.sh switches on. What is installed, and where: cmake/setup.sh --help.
set -euo pipefail
case ${1:-} in
  '') ;;
  -h | --help) sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
  *) echo "quickstart: unknown argument $1; it takes none" >&2; exit 2 ;;
esac
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '\033[1m[quickstart]\033[0m %s\n' "$*"; }

bash cmake/setup.sh
# shellcheck disable=SC1091
source build/setup.env

fail() { say "$1" >&2; exit 1; }

if [ ! -f build/release/build.ninja ]; then
  say "configuring build/release"
  CMAKE_PREFIX_PATH="$INLAY_TORCH_PREFIX" cmake --preset release -DINLAY_BUILD_TESTS=OFF -DINLAY_BUILD_BENCHMARKS=OFF \
    >build/configure-release.log 2>&1 ||
    { cat build/configure-release.log >&2; fail "configuring failed, for the reason above; once it is mended, run this again"; }
fi
say "building the inlay command (a few minutes the first time)"
cmake --build build/release --target inlay_cli --parallel "$(nproc)" ||
  fail "the build failed, for the reason above; if memory ran out: cmake --build build/release --target inlay_cli -j1"

say "indexing this repository into build/quickstart.index"
build/release/bin/inlay index . -o build/quickstart.index -m "$INLAY_MODEL"

ask() {
  say "$1"
  build/release/bin/inlay search build/quickstart.index "$1" -k 3 --lines 3
}
ask "Where is a file swapped for its new version so that readers never see half of it?"
ask "How are the vectors of a text's tokens pooled into one?"
say "ask your own: build/release/bin/inlay search build/quickstart.index \"…\""
