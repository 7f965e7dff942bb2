from snaketorch.registry.requirements import direct


def test_own_modules_of_any_encoding_say_what_they_import(tmp_path):
    (tmp_path / "nets.py").write_bytes("# -*- coding: latin-1 -*-\n# größer\nimport yaml\n".encode("latin-1"))
    (tmp_path / "more.py").write_bytes("\ufeffimport scipy.signal\n".encode())

    found = {requirement.partition("==")[0] for requirement in direct("images", "nets.Wide", tmp_path)}

    assert {"scipy", "PyYAML"} <= found
