import pytest

from snaketorch.report import formats
from snaketorch.report.details import detail_tables
from snaketorch.report.highlight import highlight
from snaketorch.report.interval import over_seeds
from snaketorch.report.interval_plot import common_axis, interval_plot
from snaketorch.report.metric_range import MetricRange


def metric(*values):
    return over_seeds(dict(enumerate(values)))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.98614, "0.9861"),
        (17.3249, "17.32"),
        (1204.4, "1,204"),
        (1_797, "1,797"),
        (0.0, "0.000"),
        (-0.5, "−0.5000"),
        (3.2e-7, "3.200e-07"),
        (None, "–"),
    ],
)
def test_numbers_have_four_digits(value, text):
    assert formats.number(value) == text


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((0.9861, 0.9917, 0.9889), "0.9889 ± 0.0070"),
        ((19.84, 21.15, 20.41), "20.5 ± 1.6"),
        ((1000.0, 3000.0), "2,000 ± 12,706"),
        ((0.5,), "0.5000"),
        ((0.5, 0.5), "0.5000 ± 0.0000"),
        ((0.5, None), "–"),
        ((3.1e-8, 3.3e-8, 3.2e-8), "3.200e-08 ± 2.5e-09"),
        ((0.0, 0.0), "0.000 ± 0.000"),
    ],
)
def test_an_estimate_is_rounded_by_its_interval(values, text):
    assert formats.estimate(metric(*values)) == text


@pytest.mark.parametrize(
    ("value", "like", "text"),
    [
        (0.0065, 0.0065, "+0.0065"),
        (-0.00004, 0.0065, "−0.0000"),
        (0.0, 0.0, "±0.000"),
        (9e-9, 9e-9, "+9.000e-09"),
        (-4e-9, 9e-9, "−4.000e-09"),
        (None, 0.1, "–"),
    ],
)
def test_a_difference_has_a_sign_and_shows_something_however_small_it_is(value, like, text):
    assert formats.signed(value, like) == text


def test_an_estimate_never_promises_more_than_the_metric_can_be():
    found = over_seeds({0: 0.97, 1: 0.99, 2: 1.0}, MetricRange(0.0, 1.0))

    assert formats.estimate(found) == "0.987 (0.949 to 1.000)"
    assert formats.estimate(over_seeds({0: 1e-13, 1: 2e-13}, MetricRange(0.0))) == "1.500e-13 (0.000 to 7.853e-13)"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.42, "0.4 s"),
        (38, "38 s"),
        (59.7, "1 min 00 s"),
        (252, "4 min 12 s"),
        (7500, "2 h 05 min"),
        (273_600, "3 d 4 h"),
    ],
)
def test_durations_are_read_at_a_glance(seconds, text):
    assert formats.duration(seconds) == text


def test_metrics_are_written_as_in_papers():
    assert [formats.metric_name(name) for name in ("test/f1_macro", "test/mae", "calibration_error")] == [
        "F1 macro",
        "MAE",
        "calibration error",
    ]


def test_an_axis_has_room_for_seeds_intervals_and_near_baselines():
    axis = common_axis([metric(19.8, 21.2, 20.4)], baselines=[27.0, 900.0])

    assert axis.low < 19.8
    assert 27.0 < axis.high < 30.0
    positions = [x for x, _ in axis.ticks()]
    assert positions == sorted(positions)
    assert 2 <= len(positions) <= 6


def test_an_interval_that_would_hide_the_seeds_is_cut():
    pair = metric(0.96, 0.98)  # its interval reaches from 0.84 to 1.10
    axis = common_axis([pair], baselines=[])
    plot = interval_plot(pair, axis)

    assert plot.open_ends == (True, True)
    assert plot.interval[0] < plot.points[0][0] < plot.mean < plot.points[1][0] < plot.interval[1]


@pytest.mark.parametrize("values", [(0.5,), (0.0, 0.0), (-1.0, -1.0), (1e-9, 3e-9), (4e6, 9e6)])
def test_any_values_have_an_axis_with_labels_that_differ(values):
    axis = common_axis([metric(*values)], baselines=[])
    labels = [label for _, label in axis.ticks()]

    assert axis.low < min(values) <= max(values) < axis.high
    assert len(set(labels)) == len(labels) >= 2


def test_nothing_measured_has_no_axis():
    assert common_axis([metric(None, None)], baselines=[3.0]) is None


def test_a_table_holds_means_over_seeds():
    def seed(value):
        return {
            "per_class": [
                {"class": "cat", "f1": value, "support": 3},
                {"class": "dog", "f1": None, "support": 0},
            ]
        }

    (table,) = detail_tables([seed(0.5), seed(1.0)])

    assert table.columns == [("", "class"), ("", "f1"), ("", "support")]
    assert table.rows == [["cat", 0.75, 3], ["dog", None, 0]]
    assert table.groups == []


def test_records_in_records_make_groups_of_columns():
    (table,) = detail_tables([{"per_step": [{"step": n, "model": {"mae": n / 2, "rmse": 1.0}} for n in (1, 2)]}])

    assert table.groups == [("", 1), ("model", 2)]
    assert table.starts == [False, True, False]
    assert table.rows == [[1, 0.5, 1.0], [2, 1.0, 1.0]]
    assert table.largest == [2, 1.0, 1.0]


def test_what_is_no_table_is_left_out():
    details = {
        "classes": ["a", "b"],
        "confusion": [[1, 0], [0, 1]],
        "scale": {"lag": 11, "values": [1.0]},
        "one": [{"a": 1}],
        "uneven": [{"a": 1}, {"b": 2}],
    }

    assert detail_tables([details]) == []


def test_tables_with_different_rows_are_not_averaged():
    def seed(name):
        return {"per_class": [{"class": name, "f1": 0.5}, {"class": "dog", "f1": 0.5}]}

    assert detail_tables([seed("cat"), seed("cow")]) == []


def test_yaml_is_coloured_and_escaped():
    html = highlight('# note\nmodel:\n  lr: 1.0e-08\n  name: "<b>"\n  list: [1, x2, true]\n  text: 3d <i>')

    assert html.splitlines() == [
        '<span class="y-comment"># note</span>',
        '<span class="y-key">model</span>:',
        '  <span class="y-key">lr</span>: <span class="y-number">1.0e-08</span>',
        '  <span class="y-key">name</span>: <span class="y-text">&#34;&lt;b&gt;&#34;</span>',
        '  <span class="y-key">list</span>: [<span class="y-number">1</span>, x2, <span class="y-word">true</span>]',
        '  <span class="y-key">text</span>: 3d &lt;i&gt;',
    ]
