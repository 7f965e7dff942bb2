"""The catalogue of GPUs, what a site adds to it, and what is refused."""

import csv
import re
from pathlib import Path

import pytest

from snaketorch.config.gpu import Gpu
from snaketorch.config.gpu_names import find, matching
from snaketorch.config.gpus import CATALOGUE, built_in, catalogue, with_site
from snaketorch.config.problems import ConfigError
from snaketorch.errors import UserError

NAMED_IN_THE_REQUIREMENTS = [
    *("TITAN V", "V100", "RTX 2070", "RTX 2080", "RTX 2080 Ti", "Quadro RTX 6000", "Quadro RTX 8000", "RTX 3070"),
    *("RTX 3080", "RTX 3090", "A100", "RX 6800", "RX 6800 XT", "RX 6900 XT", "Vega 56", "Vega 64", "Jetson"),
]


@pytest.fixture
def site(tmp_path: Path):
    def write(text: str) -> Path:
        (tmp_path / "config").mkdir(exist_ok=True)
        (tmp_path / "config/gpus.yaml").write_text(text, "utf-8")
        return tmp_path

    return write


@pytest.fixture
def table(tmp_path: Path):
    """Writes a catalogue of three rows, changed."""

    def write(change) -> Path:
        with CATALOGUE.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))[:3]
        head = list(rows[0])
        change(rows)
        path = tmp_path / "hardware/gpus.csv"
        path.parent.mkdir(exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, head, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        return path

    return write


def problems_of(root: Path) -> list[str]:
    with pytest.raises(ConfigError) as error:
        catalogue(root)
    return [str(problem) for problem in error.value.problems]


@pytest.mark.parametrize("name", NAMED_IN_THE_REQUIREMENTS)
def test_a_gpu_that_guides_name_has_its_row(name: str):
    assert matching(name, catalogue())


def test_rates_are_dense_and_summed_in_fp32():
    gpus = catalogue()

    assert gpus["GeForce RTX 4090"].tflops == {"fp32": 82.6, "tf32": 82.6, "fp16": 165.2, "bf16": 165.2}
    assert gpus["RTX A6000"].tflops["bf16"] == 154.8
    assert gpus["H100 SXM5 80GB"].tflops["bf16"] == 989.4
    assert gpus["Instinct MI300X"].bandwidth_gbs == 5300
    half = gpus["Instinct MI250X (half)"]  # of which a process sees one
    assert (half.memory_gb, half.tflops["bf16"], half.watts) == (64, 191.5, 250)


def test_the_figures_of_the_catalogue_agree_with_each_other():
    for gpu in catalogue().values():
        assert {"tf32", "fp16", "bf16"} & set(gpu.native) == set(gpu.tflops) - {"fp32"}, gpu.name
        assert ("bf16" in gpu.native) == (gpu.architecture not in {"Volta", "Turing", "GCN5", "RDNA2"}), gpu.name
        assert (gpu.matrix_cores == 0) == (gpu.architecture in {"GCN5", "RDNA2"}), gpu.name
        assert all(rate >= gpu.tflops["fp32"] for rate in gpu.tflops.values()), gpu.name
        if gpu.vendor == "NVIDIA" and gpu.made_for != "edge":  # cores x 2 operations x at most 3 GHz
            assert gpu.tflops["fp32"] < gpu.cores * 2 * 3e-3, gpu.name
        if "tf32" in gpu.tflops:
            assert gpu.tflops["tf32"] / gpu.tflops["bf16"] == pytest.approx(0.5, rel=0.03), gpu.name
        assert gpu.source and gpu.certainty in ("high", "medium", "low")


def test_the_precision_to_train_in_goes_by_the_hardware():
    best = {gpu.architecture: gpu.best_precision for gpu in catalogue().values()}

    assert (best["Ampere"], best["Turing"], best["Volta"], best["RDNA2"]) == ("bf16", "fp16", "fp16", "fp32")


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("rtx3090", "GeForce RTX 3090"),
        ("2080ti", "GeForce RTX 2080 Ti"),
        ("RTX 2080", "GeForce RTX 2080"),
        ("RX 6800", "Radeon RX 6800"),
        ("titan v", "TITAN V"),
        ("A40", "A40"),
        ("RTX 3080", "GeForce RTX 3080 10GB"),
        # as drivers call them
        ("NVIDIA A100-SXM4-80GB", "A100 SXM4 80GB"),
        ("Tesla V100-SXM2-16GB", "Tesla V100 SXM2 16GB"),
        ("NVIDIA H100 80GB HBM3", "H100 SXM5 80GB"),
        ("NVIDIA H100 PCIe", "H100 PCIe 80GB"),
        ("NVIDIA H200", "H200 SXM 141GB"),
        ("AMD Instinct MI300X", "Instinct MI300X"),
        ("NVIDIA RTX 6000 Ada Generation", "RTX 6000 Ada"),
    ],
)
def test_a_gpu_is_found_however_it_is_written(written: str, name: str):
    assert find(written, catalogue()).name == name


def test_a_name_of_several_gpus_is_none_of_them():
    with pytest.raises(UserError, match="'A100 80 GB' can be one of several GPUs; allowed: A100 PCIe 80GB, A100 SXM4"):
        find("A100 80 GB", catalogue())


@pytest.mark.parametrize("name", ["L40", "MI250", "RTX 4070 Ti", "RTX 3900", "H100 64GB", ""])
def test_a_gpu_that_the_catalogue_has_not_is_not_taken_for_another(name: str):
    with pytest.raises(UserError, match=f"^there is no GPU '{name}'; allowed: a name that"):
        find(name, catalogue())


def test_an_unknown_name_brings_suggestions():
    with pytest.raises(UserError, match="did you mean 'GeForce RTX 3090'"):
        find("RTX 3900", catalogue())


def test_a_site_adds_prices_names_of_slurm_and_gpus_of_its_own(site):
    root = site("""
currency: EUR
gpus:
  A100-SXM4-80GB: {price_per_hour: 1.8, gpu_model: a100, partition: gpu}
  A100 slice: {extends: A100 SXM4 80GB, memory_gb: 40, tflops: {bf16: 134}}
  Lab card:
    {vendor: ACME, architecture: One, memory_gb: 12.5, bandwidth_gbs: 500, tflops: {fp32: 20, bf16: 80}, watts: 200}
""")

    gpus = catalogue(root)

    a100, part, own = gpus["A100 SXM4 80GB"], gpus["A100 slice"], gpus["Lab card"]
    assert (a100.price_per_hour, a100.currency, a100.gpu_model, a100.partition) == (1.8, "EUR", "a100", "gpu")
    assert a100.memory_gb == 80 and a100.of_site and a100.source == built_in()["A100 SXM4 80GB"].source
    assert (part.memory_gb, part.tflops["bf16"], part.tflops["fp16"], part.price_per_hour) == (40, 134, 312, None)
    assert own.native == ("bf16",) and own.source == "config/gpus.yaml" and own.certainty == "medium"
    assert len(gpus) == len(catalogue()) + 2
    assert not built_in()["A100 SXM4 80GB"].of_site, "the catalogue itself stays as it is"


def test_what_slurm_calls_a_gpu_is_a_name_of_it_and_the_sites_goes_first(site):
    root = site("gpus:\n  H100 NVL: {gpu_model: bignode}\n  A100 PCIe 40GB: {gpu_model: a100}\n  A100 SXM4 40GB: {}\n")

    gpus = catalogue(root)

    assert find("bignode", gpus).name == "H100 NVL 94GB"
    assert [gpu.name for gpu in matching("A100", gpus)] == ["A100 PCIe 40GB"]
    assert find("a100", gpus).name == "A100 PCIe 40GB"
    assert find("h100", gpus).name == "H100 NVL 94GB"


def test_precisions_that_a_site_switches_off_have_no_rate(site):
    gpu = catalogue(site("gpus: {RTX 3090: {native: [fp16]}}"))["GeForce RTX 3090"]

    assert gpu.tflops == {"fp32": 35.6, "fp16": 71.0} and gpu.best_precision == "fp16"


def test_the_example_of_the_documentation_is_right(site, repo: Path):
    (example,) = re.findall(r"```yaml\n(.*?)```", (repo / "docs/gpus.md").read_text("utf-8"), re.DOTALL)

    gpus = catalogue(site(example))

    assert {gpu.name: gpu.price_per_hour for gpu in gpus.values() if gpu.of_site} == {
        "A100 SXM4 80GB": 1.8,
        "A100 slice 3g.40gb": 0.9,
        "Lab card": None,
    }


def test_no_file_of_the_site_is_the_catalogue(tmp_path: Path):
    assert catalogue(tmp_path) == dict(built_in())


def test_everything_that_is_wrong_with_the_sites_file_is_told_at_once(site):
    root = site("""gpus:
  A100: {price_per_hour: 1}
  RTX 3900: {price_per_hour: 1}
  RTX 3090: {}
  rtx3090: {}
  Slice: {extends: RTX 3900}
  Part: {extends: A100}
  L4: {extends: A100}
  Own: {vendor: A, architecture: b, memory_gb: 1, bandwidth_gbs: 1, watts: 1, tflops: {fp32: 1}, native: [bf16]}
  "!!": {}
""")

    told = problems_of(root)

    expected = [
        "2: gpus.A100: can be one of several GPUs; allowed: A100 PCIe 40GB, ",
        "3: gpus.'RTX 3900': is not in the catalogue and lacks vendor, architecture, memory_gb, ",
        "5: gpus.rtx3090: is the same GPU as 'RTX 3090' in line 4; allowed: each GPU once, ",
        "6: gpus.Slice: extends 'RTX 3900', which is not in the catalogue; allowed: a GPU that it has; did you mean '",
        "7: gpus.Part: extends 'A100', which can be one of several: A100 PCIe 40GB, ",
        "8: gpus.L4: is 'L4' of the catalogue; allowed: no 'extends' there, or another name",
        "9: gpus.Own.tflops.bf16: is missing, and native names bf16; allowed: a number above 0",
        "10: gpus.'!!': is no name of a GPU; allowed: letters and digits",
    ]
    by_line = sorted(told, key=lambda line: int(re.search(r":(\d+):", line)[1]))
    assert len(by_line) == len(expected)
    for line, start in zip(by_line, expected, strict=True):
        assert line.startswith(f"config/gpus.yaml:{start}")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("currency: 5\ngpus: {}", "1: currency: 5 is not possible; allowed: one line of text of at most 8"),
        ("gpus: {L4: {price_per_hour: -1}}", "1: gpus.L4.price_per_hour: -1 is not possible; allowed: a number of at"),
        ("gpus: {L4: {gpu_modl: a}}", "1: gpus.L4.gpu_modl: unknown key; allowed: extends, price_per_hour, "),
        ("gpus: {L4: {memory_gb: 0}}", "1: gpus.L4.memory_gb: 0 is not possible; allowed: a number above 0"),
        ("gpus: {L4: {memory_gb: .nan}}", "1: gpus.L4.memory_gb: "),
        ("gpus: {L4: {compute_capability: 8.9}}", "1: gpus.L4.compute_capability: 8.9 is not possible; allowed: one"),
        ("gpus: {L4: {tflops: {fp64: 1}}}", "1: gpus.L4.tflops.fp64: unknown key; allowed: fp32, tf32, fp16, bf16"),
        ("gpus: {L4: {gpu_model: a b}}", "1: gpus.L4.gpu_model: 'a b' (text) is not possible; allowed: letters, "),
        ("gpus:\n  L4:\n", "2: gpus.L4: nothing (null) is not possible; allowed: a mapping with the keys extends, "),
        ("gpus: {L4: {}, L4: {}}", "1: gpus.L4: duplicate key, first set in line 1; allowed: once"),
        ("gpu: {}", "1: gpu: unknown key; allowed: currency, gpus; did you mean 'gpus'?"),
        ("", " is empty; allowed: a mapping of keys to values"),
        ("- L4", "1: holds a list; allowed: a mapping of keys to values"),
        ("gpus: {L4", ""),
    ],
)
def test_a_bad_file_of_the_site_is_refused_at_its_line(site, text: str, told: str):
    assert any(line.startswith(f"config/gpus.yaml:{told}") for line in problems_of(site(text)))


def test_problems_of_the_site_can_be_told_with_those_of_a_study(site):
    problems = []

    gpus = with_site(site("gpus: {L4: {price_per_hour: 0.5}, Foo: {}}"), problems)

    assert [problem.key for problem in problems] == ["gpus.Foo"]
    assert gpus["L4"].price_per_hour == 0.5


def test_a_row_with_a_missing_figure_is_refused_by_its_line(table):
    def drop(rows):
        rows[1]["memory_gb"] = ""
        rows[2]["fp16_tflops"] = ""

    with pytest.raises(ConfigError) as error:
        built_in(table(drop))

    assert [str(problem) for problem in error.value.problems] == [
        "hardware/gpus.csv:3: gpus.'Tesla V100 PCIe 16GB'.memory_gb: is missing; "
        "allowed: a number above 0 and of at most 1,000,000",
        "hardware/gpus.csv:4: gpus.'Tesla V100 PCIe 32GB'.tflops.fp16: is missing, and native names fp16; "
        "allowed: a number above 0 and of at most 1,000,000, or neither",
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda rows: rows.append(dict(rows[0])), "hardware/gpus.csv:5: 'TITAN V' has a row above; allowed: one row"),
        (
            lambda rows: rows[1].update(name="Titan-V"),
            "hardware/gpus.csv:3: gpus.Titan-V: is the same GPU as 'TITAN V'",
        ),
        (lambda rows: rows[1].update(name=""), "hardware/gpus.csv:3: a row has no name; allowed: a name, and a cell"),
        (
            lambda rows: rows[1].update(watts="many"),
            "hardware/gpus.csv:3: gpus.'Tesla V100 PCIe 16GB'.watts: 'many' (",
        ),
        (lambda rows: rows[1].update(year="nan"), "hardware/gpus.csv:3: gpus.'Tesla V100 PCIe 16GB'.year: nan is not"),
        (
            lambda rows: rows[1].update(certainty="sure"),
            "hardware/gpus.csv:3: gpus.'Tesla V100 PCIe 16GB'.certainty: 's",
        ),
    ],
)
def test_a_bad_row_of_the_catalogue_is_refused(table, change, told: str):
    with pytest.raises(ConfigError) as error:
        built_in(table(change))

    assert str(error.value.problems[0]).startswith(told)


def test_a_row_that_is_too_short_or_too_long_is_refused(table):
    path = table(lambda rows: None)
    path.write_text(path.read_text("utf-8") + "GPU X,NVIDIA\n" + "a," * 40 + "\n", "utf-8")

    with pytest.raises(ConfigError) as error:
        built_in(path)

    assert [problem.line for problem in error.value.problems] == [5, 6]
    assert "a row has not the 21 cells of the first line" in error.value.problems[0].message


def test_a_gpu_never_changes():
    gpu = catalogue()["L4"]

    with pytest.raises(AttributeError):
        gpu.memory_gb = 1
    assert isinstance(gpu, Gpu)
