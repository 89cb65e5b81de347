#!/usr/bin/env bash
# What new images are worth, five tasks: land cover, buildings, roads, vehicles, floods.
#
#   [TRAIN_STEPS=250] ./dev run scripts/experiments/usefulness.sh IMPORTED OUT [TILES [further options]]
#
# IMPORTED holds the imported datasets of examples/recipes under their names. The flood images state no licence for
# weights that are shipped, so the base model never saw them: a copy of it learns them here, from the training event
# alone, and stays in OUT. Stopped at any time, the same command goes on.
set -euo pipefail
imported=$1
out=$2
tiles=${3:-5,20,all}
shift $(( $# < 3 ? $# : 3 ))
terragen=${TERRAGEN:-build/release/bin/terragen}
mkdir -p "$out"
if [ ! -d "$out/flood_generator/model" ] || [ ! -f "$out/flood_generator/done" ]; then
  resume=()
  if [ -d "$out/flood_generator" ]; then resume=(--resume); fi
  "$terragen" train generator "$imported/ombria_floods" -o "$out/flood_generator" --from models/terragen-base \
    --steps 800 --crop 128 --batch 16 --learning-rate 3e-4 --warmup 50 --ema 0.99 \
    --checkpoint-every 200 --preview-every 400 "${resume[@]}"
  touch "$out/flood_generator/done"
fi
for dataset in oam_buildings dubai_landcover ombria_floods dubai_roads kit_vehicles; do
  sets+=("$imported/$dataset")
done
exec "$terragen" evaluate usefulness "${sets[@]}" --model models/terragen-base \
  --model "ombria_floods=$out/flood_generator/model" -o "$out/protocol" --tiles "$tiles" --seeds 3 \
  --train-steps "${TRAIN_STEPS:-250}" --crop 192 --painted 100 --json "$out/usefulness.json" "$@"
