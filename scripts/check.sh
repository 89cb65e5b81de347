#!/usr/bin/env bash
# ./dev check [--fast]: format, layering, file sizes, forbidden words, clang-tidy (not with --fast).
set -euo pipefail
cd "$TERRAGEN_ROOT"
mkdir -p build
failed=0
say() { printf 'check: %s\n' "$*"; }
fail() { say "FAILED: $*"; failed=1; }
mapfile -t sources < <(git ls-files 'src/*.h' 'src/*.cpp' 'tests/*.cpp')

clang-format-19 --dry-run -Werror "${sources[@]}" && say "format: ${#sources[@]} files" || fail "format (clang-format-19 -i mends it)"

cmake --preset tidy >build/check-configure.log 2>&1 && say "layering: configured" || fail "configure, see build/check-configure.log"
# The layering check must be able to fail: a copy with one forbidden include does not configure.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
git ls-files -z CMakeLists.txt CMakePresets.json cmake src tests | xargs -0 cp --parents -t "$scratch"
sed -i '1i #include "terragen/data/dataset.h"' "$scratch/src/terragen/layout/geometry.cpp"
if (cd "$scratch" && cmake --preset release) >build/check-layering.log 2>&1; then
  fail "layering: a forbidden include was not noticed"
else
  grep -q "layering:" build/check-layering.log && say "layering: a forbidden include is refused" || fail "layering self-test, see build/check-layering.log"
fi

mapfile -t lengths < <(wc -l "${sources[@]}" | grep -v ' total$' | sort -n | awk '{print $1}')
say "file sizes: ${#lengths[@]} files, median ${lengths[$((${#lengths[@]} / 2))]}, largest ${lengths[-1]} lines"
[ "${lengths[-1]}" -le 800 ] || fail "a file has more than 800 lines"

if git grep -nIE '(^|[^A-Za-z0-9_.])/(root|home/[a-z]+|work)/' -- . ':!scripts/check.sh'; then fail "machine paths in the tree"; fi

if [ "${1:-}" != --fast ]; then
  # A module's sources are read as one file: LibTorch's headers cost more than all of ours. A module that has not changed
  # since it was last quiet, nor any header, is left out.
  stamps=build/tidy-stamps
  mkdir -p "$stamps"
  headers=$(cat $(git ls-files 'src/*.h') .clang-tidy scripts/check.sh | sha256sum | cut -c1-16)
  flags="-std=c++20 -isystem /usr/include/torch/csrc/api/include -isystem /usr/include/gdal -isystem /usr/include/opencv4"
  export headers stamps flags
  tidy_module() {
    local module=$1 files key
    files=$(git ls-files "src/terragen/$module/*.cpp" | grep -v _test.cpp)
    key=$module-$(cat $files | sha256sum | cut -c1-16)-$headers
    [ -e "$stamps/$key" ] && return 0
    # shellcheck disable=SC2086
    for file in $files; do printf '#include "%s/%s"\n' "$TERRAGEN_ROOT" "$file"; done >"$stamps/$module.cpp"
    clang-tidy-19 --quiet --checks=-bugprone-suspicious-include "$stamps/$module.cpp" -- -I"$TERRAGEN_ROOT/src" $flags -DTERRAGEN_VERSION='"0"' 2>/dev/null && touch "$stamps/$key"
  }
  export -f tidy_module
  if git ls-files 'src/terragen/*/CMakeLists.txt' | cut -d/ -f3 | xargs -P "$(nproc)" -I{} bash -c 'tidy_module {}'; then
    say "clang-tidy: quiet"
  else
    fail "clang-tidy"
  fi
fi
exit $failed
