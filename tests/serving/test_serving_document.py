"""The curl lines of docs/serving.md, as they stand there."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

DOCUMENT = (Path(__file__).parents[2] / "docs/serving.md").read_text()
LINES = dict(re.findall(r"<!-- (\w+) -->\n```bash\n(curl .+?)\n```", DOCUMENT, re.DOTALL))


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_documented_line_is_answered(served):
    command = LINES[served.kind].replace("http://127.0.0.1:5001", served.server.address)

    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, timeout=300)

    answers = json.loads(done.stdout)["predictions"]
    assert len(answers) >= 1
    assert answers[0].keys() == {column.name for column in served.predictor.outputs}
