import numpy as np
import pytest

from kpdemo.keypoints import metrics

NAN = np.nan


def test_eye_distance_is_of_the_outer_corners() -> None:
    ibug = np.zeros((2, 68, 2), np.float32)
    ibug[:, 36], ibug[0, 45], ibug[1, 45] = [10, 10], [70, 90], [10, 40]
    assert metrics.eye_distance(ibug, "ibug-68").tolist() == [100, 30]
    kaggle = np.zeros((15, 2), np.float32)
    kaggle[3], kaggle[5] = [66, 37], [30, 37]
    assert metrics.eye_distance(kaggle, "kaggle-15") == 36


def test_eye_distance_needs_eyes() -> None:
    with pytest.raises(KeyError):
        metrics.eye_distance(np.zeros((1, 2)), "nose-1")


def test_point_errors_by_hand() -> None:
    truth = np.array([[[0, 0], [10, 10]], [[5, 5], [NAN, NAN]], [[1, 1], [2, 2]]])
    predicted = np.array([[[3, 4], [10, 10]], [[5, 7], [0, 0]], [[NAN, NAN], [NAN, NAN]]])
    errors = metrics.point_errors(predicted, truth, np.array([50, 20, 10]))
    np.testing.assert_allclose(errors, [[10, 0], [10, NAN], [np.inf, np.inf]])


def test_half_a_label_is_no_label_and_half_an_answer_is_no_answer() -> None:
    errors = metrics.point_errors(
        np.array([[[1.0, 1], [NAN, 1]]]), np.array([[[1, NAN], [1, 1]]]), np.array([1])
    )
    np.testing.assert_array_equal(errors, [[NAN, np.inf]])


def test_missing_label_of_a_lost_face_is_missing() -> None:
    errors = metrics.point_errors(
        np.full((1, 2, 2), NAN), np.array([[[1, 1], [NAN, NAN]]]), np.array([1])
    )
    np.testing.assert_array_equal(errors, [[np.inf, NAN]])


def test_summary_by_hand() -> None:
    inf = np.inf
    errors = np.array([[1, 3], [6, NAN], [10, 8], [inf, inf], [4, 4]])
    result = metrics.summary(errors)
    # Faces: 2, 6, 9, lost, 4. Area under the curve: 1 - 2/8, 1 - 6/8, 0, 0, 1 - 4/8.
    assert result == {
        "faces": 5,
        "nme": pytest.approx((2 + 6 + 9 + 4) / 4),
        "fr8": pytest.approx(40),
        "auc8": pytest.approx(100 * (0.75 + 0.25 + 0.5) / 5),
        "lost": pytest.approx(20),
    }


def test_area_is_that_under_the_cumulative_curve() -> None:
    errors = np.random.default_rng(0).gamma(3, 1.5, (300, 1))
    grid = np.linspace(0, 8, 20001)
    curve = np.searchsorted(np.sort(errors[:, 0]), grid, side="right") / len(errors)
    expected = 100 * np.trapezoid(curve, grid) / 8
    assert metrics.summary(errors)["auc8"] == pytest.approx(expected, abs=0.01)


def test_all_faces_lost() -> None:
    result = metrics.summary(np.full((3, 68), np.inf))
    assert np.isnan(result["nme"])
    assert (result["fr8"], result["auc8"], result["lost"]) == (100, 0, 100)


def test_a_face_without_any_label_counts_nowhere() -> None:
    errors = np.array([[2.0, 4.0], [NAN, NAN]])
    assert metrics.summary(errors) == metrics.summary(errors[:1])


def test_rmse_by_hand() -> None:
    """Kaggle counts coordinates, not points: sqrt((9 + 16 + 0 + 0 + 1 + 1) / 6)."""
    truth = np.array([[[0, 0], [10, 10]], [[5, 5], [NAN, NAN]]])
    predicted = np.array([[[3, 4], [10, 10]], [[6, 4], [70, 80]]])
    assert metrics.rmse(predicted, truth) == pytest.approx(np.sqrt(27 / 6))
    lost = np.full((1, 2, 2), NAN)
    with_lost = metrics.rmse(np.concatenate([predicted, lost]), np.concatenate([truth, truth[:1]]))
    assert with_lost == pytest.approx(np.sqrt(27 / 6))


def test_face_errors_tell_lost_faces_from_unlabelled_ones() -> None:
    errors = np.array([[1, 3], [6, NAN], [np.inf, NAN], [NAN, NAN]])
    np.testing.assert_array_equal(metrics.face_errors(errors), [2, 6, np.inf, NAN])


def test_spread_is_zero_for_a_constant_and_one_for_the_truth() -> None:
    truth = np.random.default_rng(0).normal(0, 0.2, (40, 5, 2))
    assert metrics.spread(truth, truth) == pytest.approx(1)
    assert metrics.spread(np.zeros_like(truth) + 0.7, truth) == pytest.approx(0)
    # Wherever they lie, answers that follow the truth a quarter of the way vary a quarter as much.
    assert metrics.spread(5 + truth / 4, truth) == pytest.approx(0.25)


def test_spread_is_a_mean_over_keypoints_and_skips_what_is_not_there() -> None:
    truth = np.array([[[0, 0], [0, 0]], [[2, 0], [0, 6]], [[1, 1], [9, 9]], [[4, 4], [NAN, NAN]]])
    predicted = truth * [[1.0], [0.5]]
    predicted[2] = NAN  # a lost face
    predicted[3, 1] = 50  # an answer where there is no label
    assert metrics.spread(predicted, truth) == pytest.approx((1 + 0.5) / 2)
    assert np.isnan(metrics.spread(truth[:1], truth[:1]))  # one face does not vary


def test_an_interval_holds_the_mean_and_shrinks_with_more_values() -> None:
    values = np.random.default_rng(0).normal(5.0, 1.0, 400)
    few, many = metrics.interval(values[:25]), metrics.interval(values)
    assert few[0] < values[:25].mean() < few[1]
    # 1.96 standard errors to either side.
    assert many[1] - many[0] == pytest.approx(2 * 1.96 / 20, rel=0.15)
    assert few[1] - few[0] > 2 * (many[1] - many[0])
    assert metrics.interval(values) == many


def test_values_of_one_group_are_drawn_together() -> None:
    """Ten copies of each of eight values tell no more than the eight."""
    eight = np.arange(8.0)
    copied = metrics.interval(
        np.repeat(eight, 10), [f"person {k}" for k in range(8) for _ in range(10)]
    )
    assert copied == pytest.approx(metrics.interval(eight))
    assert np.ptp(metrics.interval(np.repeat(eight, 10))) < np.ptp(copied)


def test_an_interval_leaves_lost_faces_out_and_needs_two_groups() -> None:
    assert metrics.interval(np.array([1.0, 2.0, np.inf, np.nan])) == metrics.interval(
        np.array([1.0, 2.0])
    )
    assert metrics.interval(np.array([1.0, np.nan])) is None
    assert metrics.interval(np.array([1.0, 2.0]), ["one", "one"]) is None
    assert metrics.interval(np.array([])) is None
