#!/usr/bin/env bash
# Sets up, builds and runs the tests: all but those labelled slow, which take hours (a million strings a tokenizer, models at full size).
# Arguments go to ctest instead: `bash tests/run.sh -R tokenize`, `-L fast`, `-L slow`.
# INLAY_PRESET chooses the build (release, debug, asan, tsan). INLAY_DATA names a folder of public test data; tests that need it are skipped without.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
preset=${INLAY_PRESET:-release}
cd "$root"

bash cmake/setup.sh --tests
# shellcheck disable=SC1091
source build/setup.env
export INLAY_PYTHON INLAY_MODEL
if [ -z "${INLAY_DATA:-}" ] && [ -d "$root/../shared/data" ]; then INLAY_DATA=$(cd "$root/../shared/data" && pwd); fi
export INLAY_DATA=${INLAY_DATA:-}

echo "[tests] building build/$preset"
CMAKE_PREFIX_PATH="$INLAY_TORCH_PREFIX" cmake --preset "$preset" -DINLAY_BUILD_TESTS=ON -DINLAY_BUILD_BENCHMARKS=ON >"build/configure-$preset.log" 2>&1 ||
  { cat "build/configure-$preset.log" >&2; exit 1; }
cmake --build "build/$preset" --parallel "$(nproc)"
[ $# -gt 0 ] || set -- -LE slow
exec ctest --test-dir "build/$preset" --output-on-failure "$@"
