#!/bin/bash
# Stands for `python` in the jobs of a workflow: makes the outputs of a step at once.
#   STUB_CALLS    folder where the arguments of each call are kept, one file a call, and the last call's environment
#   STUB_FAILS    steps that fail without a word
#   STUB_FINDS    what a sweep writes for its best values
#   STUB_RAISES   a step that is run by the real command line, which calls step_that_raises.py in its place
step=$3  # python -m snaketorch STEP ...
printf '%s\0' "$@" > "$STUB_CALLS/$step-$$.arguments"
env -0 > "$STUB_CALLS/environment"
if [[ " $STUB_FAILS " == *" $step "* ]]; then
    echo "$step fails, as it was told to" >&2
    exit 1
fi
if [[ $STUB_RAISES == "$step" ]]; then
    exec "$STUB_PYTHON" "$STUB_SCRIPT" "${@:3}"
fi
shift 3
while (($#)); do
    case $step:$1 in
        prepare:--arrays | train:--samples | evaluate:--figures | tune:--figures | bundle:--bundle)
            mkdir -p "$2" && echo "$step" > "$2/file"
            ;;
        plan-experiment:--plan)
            echo '{"chosen": {"memory_gb": 6, "hours": 2, "gpu_model": "a100", "partition": "big"}}' > "$2"
            ;;
        tune:--best)
            echo "$STUB_FINDS" > "$2"
            ;;
        prepare:--manifest | prepare:--preview | \
            tune:--trials | tune:--curves | tune:--sweep | \
            train:--model | train:--history | train:--record | \
            evaluate:--metrics | evaluate:--predictions | \
            predict-dataset:--predictions | predict-dataset:--bad | predict-dataset:--record | \
            monitor-dataset:--statistics | monitor-dataset:--page | monitor-dataset:--alert | \
            register:--registration | settle:--settlement | \
            summarise:--summary | summarise:--config | report:--out | init-tracking:--out)
            echo "$step" > "$2"
            ;;
    esac
    shift
done
