#!/usr/bin/env bash
# ./dev demo [OUT]: paints every layout of examples/layouts/ with the shipped model. Called as demo.sh TERRAGEN [OUT].
# A folder that was named must not be there yet; out/demo, where nothing is named, is painted anew.
set -euo pipefail
root=$TERRAGEN_ROOT
terragen=$1
out=${2:-$root/out/demo}
model=${TERRAGEN_MODEL:-$root/models/terragen-base}
if [ ! -f "$model/model_index.json" ]; then
  printf 'demo: there is no model in %s yet: train one (docs/training.md) and name it with TERRAGEN_MODEL\n' "$model" >&2
  exit 2
fi
[ $# -ge 2 ] || rm -rf "$out"
"$terragen" generate --model "$model" "$root"/examples/layouts/*.geojson -o "$out" --count 2 --seed 7 --progress
printf 'images and labels: %s\ncontact sheet:     %s/contact_sheet.png\n' "$out" "$out"
