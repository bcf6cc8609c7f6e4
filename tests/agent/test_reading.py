import pytest

from wavebook.agent.reading import read_directive
from wavebook_tools.errors import UsageError
from wavebook_tools.tasks import load_tasks

FLAT, ROUGH = "Wavebook-Velocity-Flat-DHAV1", "Wavebook-Velocity-Rough-DHAV1"
RATE = "agent.algorithm.learning_rate"
WEIGHT = "env.rewards.track_lin_vel_xy_exp.weight"


def read(text: str):
    return read_directive(text, load_tasks(), ROUGH)


@pytest.mark.parametrize(
    ("text", "topics"),
    [
        ("make DHAV1 track velocity better", ["velocity"]),
        ("it should follow commands more accurately", ["velocity"]),
        ("turn better", ["turning"]),
        ("the robot shakes, make it smoother", ["smoothness"]),
        ("use less energy", ["energy"]),
        ("climb stairs", ["terrain"]),
        ("less shuffling, lift the feet", ["gait"]),
        ("it falls over too often", ["falls"]),
        ("learn faster", ["learning"]),
        ("speed up training", ["learning"]),
        ("find a good learning speed", ["learning"]),
        ("explore more", ["exploration"]),
        ("what PPO settings are best", ["optimiser"]),
        ("smooth turning with less torque", ["smoothness", "turning", "energy"]),
        ("paint it", []),
    ],
)
def test_goals_are_recognised_in_the_order_in_which_they_are_named(text, topics):
    assert [topic.key for topic in read(text).topics] == topics


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("walk on flat ground", FLAT),
        ("walk on rough terrain", ROUGH),
        ("walk over uneven ground", ROUGH),
        (f"use {FLAT}", FLAT),
        ("walk", None),
    ],
)
def test_the_ground_names_the_task(text, task):
    assert read(text).task == task


def test_the_ground_is_a_place_and_no_goal():
    assert [topic.key for topic in read("track velocity on rough ground").topics] == ["velocity"]


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("3 experiments", "experiments", 3),
        ("two small experiments", "experiments", 2),
        ("two to four experiments", "experiments", 4),
        ("a single experiment", "experiments", 1),
        ("with 2 variations", "variations", 2),
        ("2 seeds each", "seeds", 2),
        ("three seeds", "seeds", 3),
        ("on seeds 4, 5 and 7", "seed_list", [4, 5, 7]),
        ("500 iterations", "iterations", 500),
        ("2k iterations", "iterations", 2000),
        ("4,096 robots", "num_envs", 4096),
        ("64 parallel environments", "num_envs", 64),
        ("up to 6 runs", "runs", 6),
        ("within 2 GPU hours", "gpu_hours", 2.0),
        ("in 1.5 hours", "seconds", 5400.0),
        ("within 10 minutes", "seconds", 600.0),
        ("in half an hour", "seconds", 1800.0),
        ("30m", "seconds", 1800.0),
        ("within 2 days", "seconds", 172800.0),
        ("within 90 secs", "seconds", 90.0),
        ("half a dozen runs", "runs", 6),
        ("just a baseline", "experiments", 1),
        ("on the CPU", "devices", ["cpu"]),
        ("on gpus 0 and 2", "devices", ["0", "2"]),
        ("on GPU 1", "devices", ["1"]),
        ("on the GPU", "devices", None),
        ("but don't use the GPU", "devices", ["cpu"]),
        ("without a GPU", "devices", ["cpu"]),
        ("seeds 3 and 4, 20 minutes", "seed_list", [3, 4]),
        ("repeat exp007 with seed 11", "seed_list", [11]),
        ("seeds 2-5", "seed_list", [2, 3, 4, 5]),
        ("run it longer, 1000 its", "iterations", 1000),
        ("4 exps", "experiments", 4),
        ("only on the second GPU", "devices", ["1"]),
        ("on cuda:1", "devices", ["1"]),
    ],
)
def test_numbers_and_devices_are_read(text, field, value):
    directive = read(f"track velocity better, {text}.")
    assert getattr(directive, field) == value
    assert directive.unknown == []


@pytest.mark.parametrize(
    ("text", "assignments"),
    [
        ("learning rate 3e-4", [("agent.algorithm.learning_rate", 3e-4)]),
        ("try learning rates 3e-4, 1e-3 and 3e-3 with 2 seeds", [(RATE, 3e-4), (RATE, 1e-3), (RATE, 3e-3)]),
        ("lr 1e-3 vs 3e-4", [(RATE, 1e-3), (RATE, 3e-4)]),
        ("entropy of 0.02", [("agent.algorithm.entropy_coef", 0.02)]),
        ("gamma = 0.98", [("agent.algorithm.gamma", 0.98)]),
        ("tracking weight to 5", [(WEIGHT, 5)]),
        ("set the weight of track_lin_vel_xy_exp to 5", [(WEIGHT, 5)]),
        ("track_lin_vel_xy_exp weight 5", [(WEIGHT, 5)]),
        (f"{WEIGHT} = 2.5", [(WEIGHT, 2.5)]),
        ("env.rewards.action_rate_l2 to -0.02", [("env.rewards.action_rate_l2.weight", -0.02)]),
        ("action rate -0.02", [("env.rewards.action_rate_l2.weight", -0.02)]),
        ("hidden layers 256x128x64", [("agent.actor.hidden_dims", [256, 128, 64])]),
        ("a relu activation", [("agent.actor.activation", "relu")]),
        ("learning rate, 3 experiments", []),
        ("entropy 20 iterations", []),
    ],
)  # fmt: skip
def test_values_for_parameters_are_read(text, assignments):
    assert [(a.parameter, a.value) for a in read(text).assignments] == assignments


@pytest.mark.parametrize(
    ("text", "parameter", "way"),
    [
        ("raise the feet air time weight", "env.rewards.feet_air_time.weight", "stronger"),
        ("punish action rate more", "env.rewards.action_rate_l2.weight", "stronger"),
        ("less entropy", "agent.algorithm.entropy_coef", "weaker"),
        ("the learning rate should be lower", "agent.algorithm.learning_rate", "weaker"),
        ("a bigger network", "agent.actor.hidden_dims", "stronger"),
        ("play with the learning rate", "agent.algorithm.learning_rate", "either"),
        ("remove the undesired contacts term", "env.rewards.undesired_contacts", "removed"),
        ("without flat_orientation_l2", "env.rewards.flat_orientation_l2", "removed"),
    ],
)
def test_wishes_about_parameters_are_read(text, parameter, way):
    assert [(wish.parameter, wish.way) for wish in read(text).wishes] == [(parameter, way)]


@pytest.mark.parametrize(
    ("text", "parameter", "times"),
    [
        ("double the entropy", "agent.algorithm.entropy_coef", 2),
        ("halve the learning rate", RATE, 1 / 2),
        ("twice the action rate penalty", "env.rewards.action_rate_l2.weight", 2),
        ("lower the learning rate by a third", RATE, 2 / 3),
        ("raise the learning rate by a third", RATE, 4 / 3),
        ("increase feet air time by 50%", "env.rewards.feet_air_time.weight", 1.5),
        ("reduce the entropy by 20 percent", "agent.algorithm.entropy_coef", 0.8),
        ("learning rate 10x smaller", RATE, 0.1),
        ("a three times larger learning rate", RATE, 3),
        ("raise the learning rate by a factor of two", RATE, 2),
        ("half the learning rate", RATE, 1 / 2),
        ("50% more entropy", "agent.algorithm.entropy_coef", 1.5),
        ("learning rate to half of its value", RATE, 1 / 2),
    ],
)
def test_amounts_of_a_change_are_read_exactly(text, parameter, times):
    read_ = read(text)
    ((wish),) = read_.wishes
    assert (wish.parameter, wish.factor) == (parameter, pytest.approx(times))
    assert wish.way == ("stronger" if times > 1 else "weaker")
    assert not read_.assignments
    assert not read_.unknown


@pytest.mark.parametrize(
    "text",
    [
        "don't lower the entropy",
        "never double the entropy",
        "without raising the entropy",
        "do not use a bigger entropy",
    ],
)
def test_a_negation_says_no_opposite(text):
    read_ = read(text)
    assert read_.kept == ["agent.algorithm.entropy_coef"]
    assert not read_.wishes


def test_a_goal_that_is_to_stay_is_none():
    assert [topic.key for topic in read("less jitter, but keep tracking the same").topics] == ["smoothness"]
    assert [topic.key for topic in read("keep turning, but fall less").topics] == ["turning", "falls"]


def test_a_range_is_spread_over_the_variations():
    values = [one.value for one in read("3 variations of action scale between 0.2 and 0.4").assignments]
    assert values == [0.2, 0.3, 0.4]
    assert [one.value for one in read("learning rate between 1e-4 and 1e-2").assignments] == [1e-4, 1e-3, 1e-2]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("smoother, without changing the network", "agent.actor.hidden_dims"),
        ("smoother, but keep the rewards as they are", "env.rewards"),
        ("smoother, don't touch the learning rate", "agent.algorithm.learning_rate"),
    ],
)
def test_what_is_to_be_left_alone_is_read(text, kept):
    directive = read(text)
    assert directive.kept == [kept]
    assert [topic.key for topic in directive.topics] == ["smoothness"]


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("hello", "greeting"),
        ("Hi there!", "greeting"),
        ("help", "help"),
        ("What can you do?", "help"),
        ("status", "status"),
        ("/status", "status"),
        ("How is it going?", "status"),
        ("how far are the runs?", "status"),
        ("what did we learn so far?", "status"),
        ("which experiment was best?", "status"),
        ("thanks!", "thanks"),
        ("reproduce exp003 with 5 seeds", "reproduce"),
        ("repeat the best with other seeds", "reproduce"),
        ("hello, make it track velocity better", "plan"),
    ],
)
def test_questions_are_told_from_directives(text, intent):
    assert read(text).intent == intent


def test_what_is_not_understood_is_told():
    directive = read("track velocity better and paint it blue")
    assert directive.unknown == ["paint", "blue"]
    assert directive.notes == ["track the commanded velocity better"]


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("at 1.2 m/s", ["1.2", "m/s"]),
        ("at 3 km/h", ["3", "km/h"]),
        ("error below 0.1 m/s", ["below", "0.1", "m/s"]),
        ("after a push of 5 seconds", ["push", "5", "seconds"]),
        ("with 0 robots", ["0"]),
        ("with -5 seeds", ["5"]),
        ("得更稳", ["得更稳"]),
    ],
)
def test_what_only_looks_like_a_limit_is_none(text, unknown):
    directive = read(f"track velocity better, {text}")
    assert directive.unknown == unknown
    assert (directive.seconds, directive.devices, directive.seeds, directive.num_envs) == (None, None, None, None)


def test_the_internal_model_is_told_from_the_word():
    assert read("track velocity better with HIM").task == "Wavebook-Velocity-Rough-HIM-DHAV1"
    assert read("learn faster with HIM on flat ground").task == "Wavebook-Velocity-Flat-HIM-DHAV1"
    assert read("make him track velocity better").task is None
    assert read("leave HIM and track velocity better").task is None


def test_an_unknown_full_name_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match=r"Did you mean 'env\.rewards.feet_air_time.weight'"):
        read("set env.rewards.fet_air_time.weight to 3")


@pytest.mark.parametrize(
    "text", ["", "?!", "«»", "\x00\x1f", "İ" * 50, "1" * 200, "env. agent.", "(((", "seeds " * 500]
)
def test_odd_text_is_read_without_failing(text):
    read(text)


@pytest.mark.parametrize(
    ("text", "intent", "subject"),
    [
        ("mend exp002", "mend", "exp002"),
        ("Please fix the failed run exp004/s1", "mend", "exp004/s1"),
        ("repair the crash", "mend", None),
        ("fix it!", "mend", None),
        ("why did exp002 crash? fix it", "diagnose", "exp002"),
        ("fix the learning rate at 3e-4 and run 2 seeds", "plan", None),
    ],
)
def test_mending_is_told_from_finding_out_and_from_setting_a_value(text, intent, subject):
    found = read(text)
    assert (found.intent, found.subject) == (intent, subject)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("sweep lr (1e-4, 3e-4)", {RATE: [1e-4, 3e-4]}),
        ("gamma .98/.99/.995", {"agent.algorithm.gamma": [0.98, 0.99, 0.995]}),
        ("3e-4 and 1e-3 learning rates", {RATE: [3e-4, 1e-3]}),
        ("compare networks 256x128 and 512x256", {"agent.actor.hidden_dims": [[256, 128], [512, 256]]}),
        ("make the network deeper [512,256,128]", {"agent.actor.hidden_dims": [[512, 256, 128]]}),
        ("elu vs relu activation", {"agent.actor.activation": ["elu", "relu"]}),
        ("lam 0.9", {"agent.algorithm.lam": [0.9]}),
        ("3 learning rates", {}),
    ],
)
def test_lists_of_values_are_read_before_and_after_a_name(text, values):
    found: dict[str, list[object]] = {}
    for assignment in read(text).assignments:
        found.setdefault(assignment.parameter, []).append(assignment.value)
    assert found == values


def test_what_is_not_to_be_used_or_changed_stays():
    assert read("do not run on gpu 0, use gpu 1").devices == ["1"]
    assert read("track better, never run on gpu 3").spared == ["3"]
    assert read("avoid gpus 0, 1 and 3, track better").spared == ["0", "1", "3"]
    assert read("track better, without a gpu").spared is None
    assert read("turn better, no network changes").kept == ["agent.actor.hidden_dims"]
    assert read("turn better, no network changes").wishes == []
    (wish,) = read("get rid of the undesired contacts term").wishes
    assert (wish.parameter, wish.way) == ("env.rewards.undesired_contacts", "removed")
    (wish,) = read("penalise action rate 5x").wishes
    assert (wish.parameter, wish.factor) == ("env.rewards.action_rate_l2.weight", 5)
    assert read("what happens if we remove feet_air_time?").intent == "plan"
    assert read("what happens?").intent == "status"


def test_a_list_without_end_is_read_in_time_that_grows_with_its_length():
    (assignment,) = read("learning rate " + "3e-4, " * 1500).assignments
    assert assignment.value == 3e-4


def test_no_time_at_all_is_not_understood():
    nothing = read("turn better within 0 minutes")
    assert (nothing.seconds, nothing.unknown) == (None, ["within 0 minutes"])


def test_misspelt_words_are_read_as_what_they_are_close_to_and_that_is_told():
    misspelt = read("increse the lerning rate, 3 experimnts, only feet_gate")
    assert misspelt.text == "increse the lerning rate, 3 experimnts, only feet_gate"
    assert misspelt.notes[0].startswith("read «increse» as increase, «lerning» as learning")
    assert {wish.parameter for wish in misspelt.wishes} == {RATE, "env.rewards.feet_gait.weight"}
    assert (misspelt.experiments, misspelt.nothing_else, misspelt.unknown) == (3, True, [])
    assert read("paint the robot blue").unknown == ["paint", "blue"]


@pytest.mark.parametrize(
    ("text", "notes"),
    [
        ("learning rate 1e-3, no wait, 5e-4", [f"try {RATE} = 0.0005"]),
        ("learn faster with 3 seeds - sorry, 4 seeds", ["4 seeds each"]),
        ("learn faster, 3 seeds, no wait, 5", ["5 seeds each"]),
        ("learn faster in 20, no, 30 minutes", ["within 30 minutes"]),
        ("learn faster, 1, no, 2, no, 3 seeds", ["3 seeds each"]),
        ("learn faster, 2 seeds, sorry, 3 experiments", ["3 experiments", "2 seeds each"]),
        ("learn faster in 2 experiments, no 3", []),
    ],
)
def test_a_corrected_number_stands_for_the_one_before(text, notes):
    directive = read(text)
    assert set(notes) <= set(directive.notes)
    assert len(directive.assignments) <= 1


def test_the_same_as_before_but_for_one_thing_tries_nothing_else():
    for text in ("same as last time but with learning rate 5e-4", "Like the previous wave, except learning rate 5e-4"):
        directive = read(text)
        assert directive.nothing_else
        assert [(one.parameter, one.value) for one in directive.assignments] == [(RATE, 5e-4)]
        assert directive.unknown == []
    assert not read("keep the gait the same as before but turn better").unknown
