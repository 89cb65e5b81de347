#!/usr/bin/env bash
# A class withheld but for five examples, four classes in turn: generators that never saw the class, then the protocol.
#
#   scripts/experiments/few_shot.sh DATASET OUT [further options of `terragen evaluate few-shot`]
#
# DATASET is dubai_landcover, imported by its recipe. Stopped at any time, the same command goes on.
set -euo pipefail
dataset=$1
out=$2
shift 2
terragen=${TERRAGEN:-build/release/bin/terragen}
classes=(water vegetation road building)
list=$(IFS=,; echo "${classes[*]}")
protocol=(evaluate few-shot "$dataset" --classes "$list" -o "$out" --train-steps 250 --crop 192 --scenes 60 --things 4)
# Real images alone need no generator, and the base sets come about.
"$terragen" "${protocol[@]}" --methods real "$@"
models=()
for class in "${classes[@]}"; do
  run=$out/$class/generator
  if [ ! -e "$run/model/model_index.json" ]; then
    "$terragen" train generator "$out/$class/base" -o "$run" --from models/terragen-base --autoencoder-only \
      --labelled-only --reference-share 0.7 --inpaint-share 0.3 --data-parallel 2 --cycle 400 \
      --unet-channels 64,128,192 --layout-channels 48,64,96 --steps 2000 --batch 32 --crop 128 \
      --learning-rate 5e-4 --ema 0.998 --resume
  fi
  models+=(--model "$class=$run/model")
done
exec "$terragen" "${protocol[@]}" "${models[@]}" --json "$out/few_shot.json" "$@"
