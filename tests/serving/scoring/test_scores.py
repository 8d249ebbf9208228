from features.catalogue import NAMES
from serving.scoring import scores
from training.tasks import TASKS


def test_scores_have_names_of_their_own_and_belong_to_a_task() -> None:
    assert len(set(scores.NAMES)) == len(scores.SCORES)
    assert not set(scores.NAMES) & {*NAMES, scores.KNOWN}
    assert set(scores.TASKS) == set(TASKS) == {score.task for score in scores.SCORES}
    for score in scores.SCORES:
        assert score.unit in {"probability", "days", "visits", "cents"}
        assert scores.BY_NAME[score.name] is score
