"""The test of a trained model: predictions, metrics, baselines, cost, figures."""
