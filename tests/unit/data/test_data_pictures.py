import struct
import warnings
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageOps, PngImagePlugin

from snaketorch.data.decoding.pictures import decode_bytes, look_at_picture, read_file
from snaketorch.errors import DataError

COLOURS = np.random.default_rng(0).integers(0, 256, (6, 10, 3), dtype=np.uint8)
SMOOTH = np.stack(np.broadcast_arrays(np.arange(0, 250, 25)[None], np.arange(0, 240, 40)[:, None], 90), -1).astype(
    np.uint8
)


def picture_shape(path):
    return look_at_picture(path).shape


def decode_picture(path):
    return decode_bytes(read_file(path))


def decoded(image, form="PNG", **options):
    stream = BytesIO()
    image.save(stream, form, **options)
    return decode_bytes(stream.getvalue())


def as_pixels(image):
    pixels = np.asarray(image)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


@pytest.mark.parametrize("options", [{"form": "PNG"}, {"form": "BMP"}, {"form": "WEBP", "lossless": True}])
def test_colours_come_back_as_they_were(options):
    assert np.array_equal(decoded(Image.fromarray(COLOURS), **options), as_pixels(COLOURS))


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_jpeg_is_what_pil_makes_of_it(mode):
    stream = BytesIO()
    Image.fromarray(SMOOTH).convert(mode).save(stream, "JPEG")
    assert np.array_equal(decode_bytes(stream.getvalue()), as_pixels(Image.open(stream)))


def test_grey_stays_one_channel():
    assert np.array_equal(decoded(Image.fromarray(COLOURS[..., 0])), COLOURS[None, ..., 0])


def test_black_and_white_become_0_and_255():
    assert set(np.unique(decoded(Image.fromarray(COLOURS[..., 0] > 99)))) == {0, 255}


def test_16_bits_become_8_without_being_cut_off():
    levels = np.array([[0, 257, 300, 32768, 65535]], np.uint16)
    assert decoded(Image.fromarray(levels)).ravel().tolist() == [0, 1, 1, 128, 255]


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_lies_on_white(mode):
    image = Image.fromarray(np.zeros((1, 3, 3), np.uint8)).convert(mode)
    image.putalpha(Image.fromarray(np.array([[0, 128, 255]], np.uint8)))
    pixels = decoded(image)
    assert pixels.shape == (3 if mode == "RGBA" else 1, 1, 3)
    assert np.abs(pixels.astype(int) - [255, 127, 0]).max() <= 1


def test_a_palette_becomes_colours_and_its_transparent_colour_white():
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8)).copy()
    image.putpalette([250, 10, 20, 1, 2, 3, 30, 40, 50])
    assert image.mode == "P"
    assert decoded(image)[:, 0].T.tolist() == [[250, 10, 20], [1, 2, 3], [30, 40, 50]]
    assert decoded(image, transparency=1)[:, 0].T.tolist() == [[250, 10, 20], [255] * 3, [30, 40, 50]]


def test_a_palette_of_greys_is_grey():
    image = Image.fromarray(np.array([[0, 1]], np.uint8)).copy()
    image.putpalette([7, 7, 7, 200, 200, 200])
    assert decoded(image).tolist() == [[[7, 200]]]


def test_cmyk_is_not_inverted():
    # PIL writes CMYK as Adobe does, inverted
    cyan = Image.new("CMYK", (8, 8), (255, 0, 0, 0))
    assert np.abs(decoded(cyan, "JPEG", quality=95)[:, 4, 4].astype(int) - [0, 255, 255]).max() <= 3
    assert np.abs(decoded(Image.new("CMYK", (8, 8)), "JPEG")[:, 4, 4].astype(int) - 255).max() <= 3


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_image_is_turned_as_its_camera_was(form, orientation, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "image"
    Image.fromarray(SMOOTH).save(path, form, exif=exif)
    expected = as_pixels(ImageOps.exif_transpose(Image.open(path)))
    assert expected.shape == ((3, 10, 6) if orientation > 4 else (3, 6, 10))
    assert np.array_equal(decode_picture(path), expected)
    assert picture_shape(path) == expected.shape


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_an_image_is_turned_whatever_else_its_camera_wrote(form, tmp_path):
    orientation = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    half_a_fraction = struct.pack("<HHI4s", 0x0100, 5, 1, b"\x08\0\0\0")
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 2) + orientation + half_a_fraction + bytes(4)
    path = tmp_path / "image"
    Image.fromarray(SMOOTH).save(path, form, exif=exif)
    assert decode_picture(path).shape == picture_shape(path) == (3, 10, 6)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_an_orientation_in_xmp_turns_the_shape_too(form, tmp_path):
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    image = Image.fromarray(SMOOTH)
    path = tmp_path / "image"
    if form == "PNG":
        texts = PngImagePlugin.PngInfo()
        texts.add_itxt("XML:com.adobe.xmp", xmp.decode())
        image.save(path, form, pnginfo=texts)
    else:
        image.save(path, form, xmp=xmp)
    assert decode_picture(path).shape == picture_shape(path) == (3, 10, 6)


def test_an_orientation_behind_the_pixels_of_a_png_is_seen(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 8
    path = tmp_path / "image.png"
    Image.fromarray(SMOOTH).save(path, exif=exif)
    whole = path.read_bytes()
    begin = whole.index(b"eXIf") - 4
    end = begin + 12 + int.from_bytes(whole[begin : begin + 4], "big")
    last = whole.index(b"IEND") - 4
    path.write_bytes(whole[:begin] + whole[end:last] + whole[begin:end] + whole[last:])
    assert decode_picture(path).shape == picture_shape(path) == (3, 10, 6)


def test_a_small_picture_is_decoded_when_it_is_looked_at(tmp_path):
    path = tmp_path / "image.png"
    Image.fromarray(COLOURS).save(path)
    assert np.array_equal(look_at_picture(path, COLOURS.size), decode_picture(path))
    assert look_at_picture(path, COLOURS.size - 1).shape == (3, 6, 10)


def content(form="JPEG"):
    stream = BytesIO()
    Image.fromarray(np.tile(COLOURS, (20, 20, 1))).save(stream, form)
    return stream.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP"])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.9])
def test_a_truncated_file_is_bad(form, share):
    whole = content(form)
    assert decode_bytes(whole).shape == (3, 120, 200)
    with pytest.raises(DataError):
        decode_bytes(whole[: int(share * len(whole))])


@pytest.mark.parametrize(
    ("bad", "message"), [(b"", "the file is empty"), (b"hello", "no JPEG, PNG"), (b"GIF89a" + b"\0" * 99, "no JPEG")]
)
def test_a_file_that_is_no_image_is_bad(bad, message):
    with pytest.raises(DataError, match=message):
        decode_bytes(bad)


def test_an_image_that_would_fill_the_memory_is_bad(monkeypatch, tmp_path):
    monkeypatch.setattr("snaketorch.data.decoding.pictures.MOST_PIXELS", 20_000)
    (tmp_path / "bomb").write_bytes(content())
    for read in (decode_picture, picture_shape):
        with pytest.raises(DataError, match=r"200x120 pixels.*up to 20,000 pixels"):
            read(tmp_path / "bomb")


def test_an_image_beyond_the_limit_of_pil_is_decoded_without_a_warning(tmp_path):
    Image.new("L", (9500, 9500), 7).save(tmp_path / "scan.png", compress_level=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pixels = decode_picture(tmp_path / "scan.png")
    assert pixels.shape == picture_shape(tmp_path / "scan.png") == (1, 9500, 9500)
    assert (pixels[0, ::950] == 7).all()
