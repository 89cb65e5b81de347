#!/usr/bin/env bash
# What ./dev does once it stands on the ground: the commands themselves. Called by ./dev only.
set -euo pipefail
root=$TERRAGEN_ROOT
command=$1
shift
export CCACHE_DIR="${CCACHE_DIR:-${TERRAGEN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/terragen}/ccache}"
# Precompiled headers and ccache work together only with these tolerances.
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
export CCACHE_BASEDIR="$root"
# Threads that wait give their core away: where another process holds one, spinning threads slow everything tenfold.
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-passive}"
export TERRAGEN_GOLDEN="${TERRAGEN_GOLDEN:-$root/../shared/golden}"
export TERRAGEN_DATA="${TERRAGEN_DATA:-$root/../shared/data}"

build() { # PRESET [TARGET...]
  local preset=$1
  shift
  [ -f "$root/build/$preset/build.ninja" ] || (cd "$root" && cmake --preset "$preset") >&2
  (cd "$root" && cmake --build "build/$preset" ${@:+--target "$@"}) >&2
}

case "$command" in
  build) build "${1:-release}" ;;
  test)
    preset=release
    if [ "${1:-}" = --preset ]; then
      preset=${2:?"--preset needs a name"}
      shift 2
    fi
    build "$preset"
    # Two tests at a time share the cores; what else runs here may set the threads of each.
    export OMP_NUM_THREADS="${OMP_NUM_THREADS:-$((($(nproc) + 1) / 2))}"
    cd "$root/build/$preset" && exec ctest --output-on-failure --parallel 2 "$@"
    ;;
  terragen)
    build release terragen
    exec "$root/build/release/bin/terragen" "$@"
    ;;
  demo)
    build release terragen
    exec "$root/scripts/demo.sh" "$root/build/release/bin/terragen" "$@"
    ;;
  check) exec "$root/scripts/check.sh" "$@" ;;
esac
