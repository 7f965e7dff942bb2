"""Statistics as sentences that a newcomer understands."""

from snaketorch.monitoring.compare import Statistic

TESTS = {
    "ks": "Distribution (KS)",
    "psi": "Shares (PSI)",
    "class_shift": "True classes (PSI)",
    "prediction_shift": "Predicted classes (PSI)",
    "missing": "More of what should be rare",
    "bad_rows": "Share of the rows",
    "metric_drop": "Worse than in the test",
}
GROUPS = {
    "input": "The samples themselves",
    "label": "What is true of them",
    "prediction": "What the model says of them",
    "metric": "How right the model is",
}
SHARES = ("accuracy",)
"""Metrics whose drop is a share of all samples; that of others is a share of the metric."""


def said(statistic: Statistic) -> str:
    """What is wrong, in one sentence."""
    value, limit, subject = statistic.value, statistic.threshold, statistic.subject
    beyond = f"{_shown(value)}, and up to {_shown(limit)} is usual"
    match statistic.test:
        case "ks":
            where = "in the test" if statistic.group == "prediction" else "in the training data"
            return f"{subject} is distributed otherwise than {where}: the distance is {beyond}"
        case "psi":
            return f"{subject} has other shares than in the training data: the index is {beyond}"
        case "class_shift":
            return f"the true classes have other shares than in the training data: the index is {beyond}"
        case "prediction_shift":
            return f"the model predicts the classes in other shares than in its test: the index is {beyond}"
        case "missing":
            return f"{subject}: {value:.1%} of the samples more than there were, and up to {limit:.1%} is usual"
        case "bad_rows":
            return (
                f"{value:.1%} of the rows ({value * statistic.n:,.0f} of {statistic.n:,}) cannot be read by the model, "
                f"and max_bad_share allows {limit:.1%}"
            )
        case "metric_drop":
            how = "of all samples are wrong that would have been right" if subject in SHARES else "more error"
            return f"{subject} is worse than in the test: {value:.1%} {how}, and up to {limit:.1%} is usual"
    raise ValueError(statistic.test)


def _shown(value: float) -> str:
    return f"{value:.3g}"
