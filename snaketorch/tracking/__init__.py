"""MLflow: local journals become runs there. The only part of the package that knows MLflow."""
