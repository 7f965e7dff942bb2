"""Options of Slurm's `sbatch` that an experiment may add, and what says those that it may not."""

import re
import shlex
from collections.abc import Iterable, Mapping

from snaketorch.config.problems import did_you_mean, listed

_TAKES: Mapping[str, str] = {
    "a value": (
        "--account -A --acctg-freq --array -a --batch --bb --bbf --begin -b --chdir -D --cluster-constraint "
        "--clusters -M --comment --constraint -C --container --container-id --core-spec -S --cores-per-socket "
        "--cpu-freq --cpus-per-gpu --cpus-per-task -c --deadline --delay-boot --dependency -d --distribution -m "
        "--error -e --exclude -x --export --export-file --extra --extra-node-info -B --gid --gpu-bind --gpu-freq "
        "--gpus -G --gpus-per-node --gpus-per-socket --gpus-per-task --gres --gres-flags --hint --input -i "
        "--job-name -J --kill-on-invalid-dep --licenses -L --mail-type --mail-user --mcs-label --mem --mem-bind "
        "--mem-per-cpu --mem-per-gpu --mincpus --network --nodefile -F --nodelist -w --nodes -N --ntasks -n "
        "--ntasks-per-core --ntasks-per-gpu --ntasks-per-node --ntasks-per-socket --open-mode --output -o "
        "--partition -p --power --prefer --priority --profile --qos -q --reservation --segment --signal "
        "--sockets-per-node --switches --tasks-per-node --thread-spec --threads-per-core --time -t --time-min --tmp "
        "--tres-bind --tres-per-task --uid --wait-all-nodes --wckey --workdir --wrap"
    ),
    "a value after =, or none": (
        "--exclusive --get-user-env --nice --no-kill -k --oom-kill-step --propagate --resv-ports"
    ),
    "no value": (
        "--consolidate-segments --contiguous --help -h --hold -H --ignore-pbs --no-requeue --overcommit -O "
        "--oversubscribe -s --parsable --quiet -Q --reboot --requeue --spread-job --spread-segments --stepmgr "
        "--test-only --usage --use-min-nodes --verbose -v --version -V --wait -W"
    ),
}
"""Options of sbatch, newer ones than 22.05's too, and what each takes."""

KNOWN = {option: what for what, options in _TAKES.items() for option in options.split()}

_PROFILE = "in profiles/slurm/config.yaml"

INSTEAD: Mapping[str, str] = {
    "resources.partition": "--partition -p",
    "resources.constraint": "--constraint -C",
    "resources.qos": "--qos -q",
    "resources.gpus and resources.gpu_model": (
        "--gpus -G --gpus-per-node --gpus-per-socket --gpus-per-task --gres --tres-per-task"
    ),
    "resources.cpus": "--cpus-per-task -c --cpus-per-gpu --mincpus",
    "resources.memory_gb": "--mem --mem-per-cpu --mem-per-gpu",
    "resources.hours": "--time -t --time-min",
    "trainer.num_nodes of an experiment": "--nodes -N",
    "trainer.devices of an experiment": (
        "--ntasks -n --ntasks-per-node --ntasks-per-gpu --ntasks-per-core --ntasks-per-socket --tasks-per-node"
    ),
    f"slurm_account {_PROFILE}": "--account -A",
    f"slurm_cluster among the default-resources {_PROFILE}": "--clusters -M",
    f"slurm-requeue or slurm-no-requeue {_PROFILE}": "--requeue --no-requeue",
}
"""What takes the place of options that are refused."""

BREAKS: Mapping[str, str] = {
    "is for Snakemake to say, which else could not follow its jobs": (
        "--job-name -J --output -o --error -e --parsable --export --export-file --comment --workdir --chdir -D "
        "--array -a --wrap"
    ),
    "submits nothing": "--test-only --help -h --usage --version -V",
    "hides the job's number, by which Snakemake follows it": "--quiet -Q",
    "keeps Snakemake from all else until the job is done": "--wait -W",
    "keeps the job from starting, and Snakemake would wait for ever": "--hold -H",
    "gives an input to steps, which read none": "--input -i",
    "would write results as somebody else": "--uid --gid",
}
"""Why options are refused that nothing takes the place of."""

_WHY = {f"has a place of its own; allowed: {place}": options for place, options in INSTEAD.items()} | {
    f"{why}; allowed: other options of sbatch": options for why, options in BREAKS.items()
}
_REFUSED = {option: why for why, options in _WHY.items() for option in options.split()}
_SUCH = "options of sbatch, such as --exclude=n13"
_TAKEN_FOR_AN_OPTION = re.compile(r"-J|-[oeDApncCtN]$")


def words(extra: str | Iterable[str]) -> list[str]:
    """The options as words of a command, without their quotes.

    Raises:
        ValueError: a quote is not closed.
    """
    texts = [extra] if isinstance(extra, str) else extra
    return [word for text in texts for word in shlex.split(text)]


def only_additions(extra: str | list[str]) -> str | list[str]:
    """``extra`` when all of it may be added to the call of sbatch.

    Raises:
        ValueError: it may not, and why.
    """
    try:
        found = words(extra)
    except ValueError as error:
        raise ValueError(f"a quote is not closed; allowed: {_SUCH}") from error
    rest = iter(found)
    before = ""
    for word in rest:
        option, value = _option(word, before)
        if KNOWN[option] == "a value" and value is None:
            value = next(rest, "")
            _refuse_what_the_plugin_mistakes(value)
            if value.startswith("-"):
                value = ""
        if value == "":
            raise ValueError(f"'{word}' has no value; allowed: {_with_value(option)}")
        _refuse_what_the_plugin_mistakes(word)
        before = word if KNOWN[option] == "a value after =, or none" and value is None else ""
    return extra


def _option(word: str, before: str) -> tuple[str, str | None]:
    """The last option of ``word``, and its value; None where there is none in this word.

    ``before`` is an option in front of it that takes no value but after '='.

    Raises:
        ValueError: it is no option, or one that is refused.
    """
    if word.startswith("--"):
        return _long(word)
    if re.match("-[A-Za-z]", word):
        return _short(word)
    may_be_value = before.startswith("--") and re.fullmatch(r"[\w,-]+", word)
    instead = f"{_with_value(before, word)}, with '='" if may_be_value else _SUCH
    raise ValueError(f"'{word}' is no option, and no option's value; allowed: {instead}")


def _long(word: str) -> tuple[str, str | None]:
    written, has_value, value = word.partition("=")
    option = _whole_name(written)
    if option in _REFUSED:
        raise ValueError(f"'{word}' {_REFUSED[option]}")
    if has_value and KNOWN[option] == "no value":
        raise ValueError(f"'{word}': {option} takes no value; allowed: {option}")
    return option, value if has_value else None


def _whole_name(written: str) -> str:
    """The option that sbatch takes ``written`` for, which may be the beginning of its name."""
    options = [written] if written in KNOWN else sorted(name for name in KNOWN if name.startswith(written))
    if not re.fullmatch(r"--[a-z-]*[a-z]", written) or not options:
        raise ValueError(f"'{written}' {_unknown(written)}")
    if len(options) > 1:
        raise ValueError(f"'{written}' is ambiguous: {listed(options)}; allowed: the whole name of one option")
    return options[0]


def _short(word: str) -> tuple[str, str | None]:
    """As sbatch reads it: letters, each an option, up to one that takes all that follows for its value."""
    for place, letter in enumerate(word[1:], 2):
        option, value = f"-{letter}", word[place:] or None
        shown = f"'{word}'" if place == 2 else f"'{option}' in '{word}'"
        if option in _REFUSED:
            raise ValueError(f"{shown} {_REFUSED[option]}")
        if option not in KNOWN:
            raise ValueError(f"{shown} {_unknown(f'-{word}')}")
        if KNOWN[option] != "no value":
            return option, value
    return option, None


def _unknown(name: str) -> str:
    nearest = did_you_mean(name, sorted(KNOWN)) if len(name) > len("--x") else ""
    return f"is no option of sbatch; allowed: {_SUCH}{nearest}"


def _with_value(option: str, value: str = "VALUE") -> str:
    return f"{option}={value}" if option.startswith("--") else f"{option} {value}"


def _refuse_what_the_plugin_mistakes(word: str) -> None:
    """The plugin searches all of the text, values too, for options that it refuses."""
    if len(word) > 2 and (seen := _TAKEN_FOR_AN_OPTION.search(word)):
        raise ValueError(
            f"'{word}' holds {seen[0]}, which Snakemake's Slurm plugin takes for an option; allowed: values without it"
        )
