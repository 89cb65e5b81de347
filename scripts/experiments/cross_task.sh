#!/usr/bin/env bash
# One generator for five tasks against one a task, the same number of steps in all, from the same autoencoder; judged by
# what models trained on real images find of the layouts of test places.
#
#   ./dev run scripts/experiments/cross_task.sh IMPORTED OUT STEPS SEED [THREADS]
#
# IMPORTED holds the imported datasets of examples/recipes under their names. The judges in OUT serve every seed; runs of
# several seeds may share OUT. Stopped at any time, the same command goes on.
set -euo pipefail
imported=$1 out=$2 steps=$3 seed=$4 threads=${5:-2}
terragen=${TERRAGEN:-build/release/bin/terragen}
names=(oam_buildings dubai_landcover ombria_floods dubai_roads kit_vehicles)
mkdir -p "$out"
train() { # NAME STEPS DATASETS...
  local run=$out/$1_$seed steps=$2
  shift 2
  [ -e "$run/done" ] && return
  "$terragen" train generator "$@" -o "$run" --from models/terragen-base --autoencoder-only --inpaint-share 0.15 \
    --unet-channels 64,128,192 --layout-channels 48,64,96 --steps "$steps" --batch 32 --crop 128 \
    --learning-rate 5e-4 --warmup 50 --ema 0.99 --seed "$seed" --checkpoint-every 200 --preview-every 0 --cycle 400 \
    --threads "$threads" --data-parallel "$threads" --resume
  touch "$run/done"
}
judge() { # NAME
  local run=$out/judge_$1 kind=segmenter
  [ "$1" = kit_vehicles ] && kind=detector
  # Of two seeds side by side one trains a judge and the other waits for it.
  exec 9>"$run.lock"
  flock 9
  if [ ! -e "$run/done" ]; then
    "$terragen" train $kind "$imported/$1" -o "$run" --steps 300 --batch 8 --crop 192 --learning-rate 1e-3 --warmup 40 \
      --ema 0.99 --preview-every 0 --threads "$threads" --resume
    touch "$run/done"
  fi
  flock -u 9
}
train all "$steps" "${names[@]/#/$imported/}"
for name in "${names[@]}"; do train "$name" $((steps / ${#names[@]})) "$imported/$name"; done
for name in "${names[@]}"; do
  judge "$name"
  for model in all "$name"; do
    figures=$out/${model}_${seed}_on_$name.json
    [ -e "$figures" ] ||
      "$terragen" evaluate fidelity "$imported/$name" --model "$out/${model}_$seed/model" --judge "$out/judge_$name/model" \
        --size 128 --limit 40 --seed "$seed" --threads "$threads" --json "$figures"
  done
done
