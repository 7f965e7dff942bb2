"""What MLflow's server would answer from a packed model: ``python -EPB answer_of.py FOLDER``, as JSON.

Run as a file by ``snaketorch.registry.proof``; imports nothing of this package, so that the model brings its own.
"""

import json
import sys
from pathlib import Path

from mlflow.pyfunc import load_model
from mlflow.pyfunc.scoring_server import invocations


def main(folder: str) -> None:
    """Sends the model's own example to it and writes the answer to standard output."""
    model = load_model(folder)
    request = Path(folder, "serving_input_example.json").read_text("utf-8")
    answer = invocations(request, "application/json", model, model.metadata.get_input_schema())
    package = sys.modules["snaketorch"].__file__
    sys.stdout.write(json.dumps({"package": package, "body": answer.response}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
