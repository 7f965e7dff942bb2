import json
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from snaketorch.config.datasets import Prepare
from snaketorch.data.convert import convert_images
from snaketorch.data.decoding import gpu
from snaketorch.data.decoding.pictures import decode_bytes
from snaketorch.data.readers import FileReader
from snaketorch.errors import DataError, UserError


class StandIn:
    """Decodes as a GPU would: whole batches or nothing; its pixels are one level brighter than PIL's."""

    def __init__(self):
        self.batches: list[tuple[str, int]] = []

    def __call__(self, contents, mode):
        self.batches.append((mode, len(contents)))
        images = []
        for content in contents:
            if b"refuse me" in content:
                raise RuntimeError("nvjpegDecode failed\nwith a stack")
            image = Image.open(BytesIO(content)).convert({"RGB": "RGB", "GRAY": "L"}[mode])
            pixels = np.asarray(image)
            images.append(torch.from_numpy(np.array(pixels[None] if mode == "GRAY" else pixels.transpose(2, 0, 1)) + 1))
        return images


@pytest.fixture
def stand_in(monkeypatch):
    made = StandIn()
    monkeypatch.setattr(gpu, "decode_jpegs", made)
    monkeypatch.setattr(gpu, "_why_not", lambda: "")
    return made


def picture(seed, size=(12, 9), mode="RGB"):
    levels = np.random.default_rng(seed).integers(20, 200, (*size, 3), dtype=np.uint8)
    return Image.fromarray(levels).convert(mode)


def write(root, label, name, image, **options):
    (root / label).mkdir(parents=True, exist_ok=True)
    image.save(root / label / name, **options)
    return root / label / name


@pytest.fixture
def album(tmp_path):
    """Files in the order of names: those that begin with `p` are plain JPEG."""
    root = tmp_path / "album"
    turned = Image.Exif()
    turned[0x0112] = 3
    return [
        write(root, "a", "other.png", picture(0)),
        write(root, "a", "p1.jpg", picture(1)),
        write(root, "a", "p2 grey.jpg", picture(2, mode="L")),
        write(root, "a", "p3.jpg", picture(3)),
        write(root, "a", "turned.jpg", picture(4), exif=turned),
        write(root, "b", "cmyk.jpg", picture(5, mode="CMYK")),
        write(root, "b", "p4.jpg", picture(6)),
        write(root, "b", "progressive.jpg", picture(7), progressive=True),
    ]


def read(paths, decoder, rows=None):
    reader = FileReader(paths)
    reader.decode_on(decoder)
    rows = np.arange(len(paths)) if rows is None else rows
    return [sample for part in reader.parts(rows) for sample in part], reader.decoded


def test_plain_jpegs_go_to_the_gpu_in_batches_and_the_others_to_pil_in_order(album, stand_in):
    found, decoded = read(album, gpu.GpuDecoder(None, None))
    for path, pixels in zip(album, found, strict=True):
        assert np.array_equal(
            pixels, decode_bytes(path.read_bytes()) + path.name.startswith("p") * (path.stem != "progressive")
        )
    assert stand_in.batches == [("GRAY", 1), ("RGB", 3)]
    assert decoded == {"cuda": 4, "cpu": 4}


def test_a_batch_is_of_bounded_size(album, stand_in, monkeypatch):
    monkeypatch.setattr("snaketorch.data.readers.GPU_TASK_VALUES", 2 * 12 * 9 * 3)
    read([album[1]] * 5, gpu.GpuDecoder(None, None))
    assert stand_in.batches == [("RGB", 2), ("RGB", 2), ("RGB", 1)]


def test_a_file_that_is_refused_does_not_change_what_becomes_of_its_batch(album, stand_in):
    bad = album[3]
    bad.write_bytes(bad.read_bytes()[:-2] + b"refuse me\xff\xd9")
    found, decoded = read(album, gpu.GpuDecoder(None, None))
    assert np.array_equal(found[3], decode_bytes(bad.read_bytes())), "PIL takes it"
    assert np.array_equal(found[1], decode_bytes(album[1].read_bytes()) + 1), "the GPU still takes the others"
    assert decoded == {"cuda": 3, "cpu": 5}


def test_an_unreadable_file_is_named_as_before(album, stand_in):
    album[1].write_bytes(album[1].read_bytes()[:-40])
    album[3].write_bytes(b"")
    found, decoded = read(album, gpu.GpuDecoder(None, None))
    assert isinstance(found[1], DataError)
    assert "truncated" in str(found[1])
    assert "no JPEG" in str(found[3])
    assert decoded == {"cuda": 2, "cpu": 4}


def test_a_file_of_another_shape_than_its_header_says_goes_to_pil(album, stand_in, monkeypatch):
    monkeypatch.setattr(
        gpu, "decode_jpegs", lambda contents, mode: [torch.zeros(3, 1, 1, dtype=torch.uint8)] * len(contents)
    )
    found, decoded = read(album, gpu.GpuDecoder(None, None))
    assert np.array_equal(found[1], decode_bytes(album[1].read_bytes()))
    assert decoded == {"cuda": 0, "cpu": 8}


@pytest.mark.parametrize("channels", [None, 1, 3])
def test_images_of_one_shape_are_resized_on_the_device_to_the_same_bytes(album, stand_in, channels):
    paths = [album[1], album[3]]
    found, _ = read(paths, gpu.GpuDecoder([5, 7], channels))
    for path, pixels in zip(paths, found, strict=True):
        assert np.array_equal(pixels, convert_images(decode_bytes(path.read_bytes())[None] + 1, [5, 7], channels)[0])


@pytest.mark.parametrize("decoder", ["auto", "cuda", "cpu"])
def test_the_manifest_says_what_decoded(dataset, tmp_path, stand_in, caplog, decoder):
    caplog.set_level("INFO")
    for label in "ab":
        for index in range(10):
            write(tmp_path / "album", label, f"{index}.{'png' if index > 7 else 'jpg'}", picture(index))
    source = {"kind": "image_folder", "path": str(tmp_path / "album")}
    manifest = dataset.prepare(source, {}, {"size": [8, 8], "decoder": decoder})
    expected = {"cpu": 20} if decoder == "cpu" else {"cuda": 16, "cpu": 4}
    assert record(manifest)["decoders"] == expected
    assert ("the GPU's decoder decoded 16 images" in caplog.text) == (decoder != "cpu")
    assert manifest.report["facts"]["smallest, height and width"] == [12, 9]


def record(manifest):
    return json.loads(manifest.path.read_text())["record"]


@pytest.mark.parametrize(("decoder", "found"), [("auto", None), ("cpu", None), ("cuda", UserError)])
def test_without_a_gpu_only_cuda_is_an_error(monkeypatch, decoder, found):
    monkeypatch.setattr(gpu, "_why_not", lambda: "PyTorch sees no GPU")
    options = Prepare(decoder=decoder)
    if found is None:
        assert gpu.gpu_decoder(options) is None
    else:
        with pytest.raises(
            found, match=r"prepare.decoder: cuda needs a GPU .* PyTorch sees no GPU; allowed here: auto"
        ):
            gpu.gpu_decoder(options)


def test_cuda_without_a_gpu_ends_the_job_at_its_start(dataset, monkeypatch):
    monkeypatch.setattr(gpu, "_why_not", lambda: "PyTorch sees no GPU")
    monkeypatch.setattr("snaketorch.data.prepare.resolve", None)
    with pytest.raises(UserError, match="PyTorch sees no GPU"):
        dataset.prepare("digits", {}, {"decoder": "cuda"})


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_gpu_decodes_nearly_as_pil_does(mode):
    assert gpu._why_not() == ""
    smooth = np.stack(np.broadcast_arrays(np.arange(64)[None], np.arange(80)[:, None] * 2, 90), -1).astype(np.uint8)
    contents = []
    for quality in (60, 95):
        stream = BytesIO()
        Image.fromarray(smooth).convert(mode).save(stream, "JPEG", quality=quality)
        contents.append(stream.getvalue())
    shape = (3 if mode == "RGB" else 1, 80, 64)
    for content, pixels in zip(contents, gpu.GpuDecoder(None, None).decode(contents, [shape] * 2), strict=True):
        assert np.abs(pixels.astype(int) - decode_bytes(content)).max() <= 4
    assert gpu.GpuDecoder(None, None).decode([contents[0], contents[0][:200]], [shape] * 2)[0] is not None
