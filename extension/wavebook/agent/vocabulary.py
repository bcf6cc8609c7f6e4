"""The words of directives: names of parameters, numbers, verbs, and what carries no meaning here."""

from __future__ import annotations

import re
from typing import Literal

NUMBER_WORDS = {
    "one": 1, "a single": 1, "two": 2, "a couple of": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "half a dozen": 6, "a dozen": 12, "twelve": 12, "sixteen": 16, "twenty": 20,
}  # fmt: skip

COUNT = r"(?:\d{1,3}(?:,\d{3})+|\d+(?:\.\d+)?)\s?k?|" + "|".join(NUMBER_WORDS)
"""A number of things: 3, 4,096, 2k, three."""

NUMBER = r"[-+]?(?:\d+(?:\.\d+)?|\.\d+)(?:e[-+]?\d+)?"
"""A value: 0.3, -5, 3e-4."""

UNITS = {"d": 24 * 3600.0, "h": 3600.0, "m": 60.0, "s": 1.0}
"""How long the units of ``DURATION`` are, by their first letter [s]."""

_AMOUNT = rf"(?P<amount>\d+(?:\.\d+)?|\.\d+|{'|'.join(NUMBER_WORDS)})"
_UNIT = r"(?P<unit>days?|hours?|hrs?|h|minutes?|mins?|(?<=\d)m)"

DURATION = rf"(?:{_AMOUNT}\s*|(?P<half>half\s+)?an?\s+){_UNIT}\b(?!\s*/)"
"""A time: 2 h, 30m, half an hour. 1.2 m/s and 3 km/h are none."""

SECONDS = rf"{_AMOUNT}\s*(?P<unit>s|secs?|seconds?)\b(?!\s*/)"
"""A time in seconds, which may be that of an episode or a push as well."""

COUNTED = (
    r"experiments?|variations?|variants?|hypothes\w+|seeds?|runs?|iterations?|iters?|robots?|env\w*|minutes?|hours?"
    r"|days?|seconds?"
)
"""What is counted: a number before one of these is no value."""

ALIASES: tuple[tuple[str, str], ...] = (
    (r"learning[\s-]+rates?|lr", "agent.algorithm.learning_rate"),
    (r"entropy(?:[\s-]+(?:coef\w*|bonus))?", "agent.algorithm.entropy_coef"),
    (r"(?:gamma|discount(?:[\s-]+factor)?)", "agent.algorithm.gamma"),
    (r"(?:gae[\s-]+)?lambda|lam", "agent.algorithm.lam"),
    (r"clip(?:ping)?[\s-]+(?:range|param\w*|ratio)", "agent.algorithm.clip_param"),
    (r"(?:desired|target)[\s-]+kl", "agent.algorithm.desired_kl"),
    (r"(?:learning[\s-]+)?epochs", "agent.algorithm.num_learning_epochs"),
    (r"mini[\s-]?batches", "agent.algorithm.num_mini_batches"),
    (r"(?:rollout[\s-]+length|steps[\s-]+per[\s-]+env\w*)", "agent.num_steps_per_env"),
    (r"(?:init\w*[\s-]+(?:std|noise))", "agent.actor.distribution_cfg.init_std"),
    (r"action[\s-]+scale", "env.actions.joint_pos.scale"),
    (r"(?:velocity[\s-]+)?tracking[\s-]+weight", "env.rewards.track_lin_vel_xy_exp.weight"),
    (r"(?:yaw|turning)[\s-]+weight", "env.rewards.track_ang_vel_z_exp.weight"),
    (r"(?:(?:policy|hidden)[\s-]+)?(?:networks?|layers|hidden[\s-]+(?:dims|sizes?))", "agent.actor.hidden_dims"),
    (r"activation", "agent.actor.activation"),
)
"""What people call a parameter."""

GROUPS = {
    r"rewards?(?:[\s-]+(?:terms|weights))?": "env.rewards",
    r"terrains?": "env.scene.terrain",
    r"learner|ppo|optimi[sz]er|hyper[\s-]?parameters": "agent.algorithm",
    r"networks?|policy": "agent.actor",
    r"randomi[sz]ation|events": "env.events",
}
"""What people call a group of parameters that is to be left alone."""

RAISE = (
    r"raise|raising|increas\w*|more|strong(?:er|ly)|higher|boost\w*|strengthen\w*|heavier|bigger|larger|wider|double|"
    r"punish\w*|penali[sz]\w*|greater|longer|harder|bump(?:ing)?(?:\s+up)?|turn(?:ing)?\s+up"
)
LOWER = (
    r"lower\w*|decreas\w*|reduc\w*|less|weak(?:er|en\w*)|smaller|lighter|narrower|shrink\w*|halve|relax\w*|"
    r"shorter|fewer"
)
REMOVE = r"without|get(?:ting)?\s+rid\s+of(?:\s+the)?|w/o|remov\w*|drop\w*|disabl\w*|switch(?:ing)?\s+off|no"
BY_NAME: dict[Literal["compare", "combine"], str] = {
    "compare": r"compar(?:e|ing)|contrast",
    "combine": r"combin(?:e|ing)|merge|merging|join|stack|put\s+together|bring\s+together",
}
"""Verbs before the names of experiments, and what is to be done with them."""
JOINING = r"and|with|to|against|vs\.?|versus|plus|\+"
JOINED = rf"(?:\s*,\s*(?:and\s+)?|\s+(?:{JOINING})\s+)"
"""Between the names of a list."""
TRY = r"try|trying|change|changing|vary|varying|test|testing|use|using|tune|tuning|look\s+at|touch"
ONLY = r"only|just|solely|nothing\s+but|exclusively"
"""Before a parameter: what is not named is left out."""
KEEP = (
    r"without\s+(?:changing|touching)|keep(?:ing)?|(?:do\s+not|don't)\s+(?:change|touch|vary)|leav(?:e|ing)|not\s+the"
)
SCALED = r"doubl(?:e|ing)|tripl(?:e|ing)|quadrupl(?:e|ing)|halv(?:e|ing)|half|twice"
"""Verbs and words before a parameter that say by how much, as ``factor`` reads them."""

_TIMES = rf"(?:\d+(?:\.\d+)?|{'|'.join(NUMBER_WORDS)})"
PARTS = {"half": 1 / 2, "third": 1 / 3, "quarter": 1 / 4, "fifth": 1 / 5, "tenth": 1 / 10}
AMOUNT = (
    rf"(?:a\s+)?(?:{'|'.join(PARTS)})|\d+(?:\.\d+)?\s*(?:%|percent|per\s*cent)"
    rf"|(?:a\s+)?factor\s+(?:of\s+)?{_TIMES}|{_TIMES}\s*(?:x|×|times|-?fold)"
)
"""How much something is changed: a third, 50 %, a factor of two, 10x."""

FORBID = (
    rf"(?:do\s+not|don't|dont|never|without|avoid)\s+(?:use\s+|using\s+|try\s+|trying\s+)?(?:a\s+|any\s+)?"
    rf"(?:{RAISE}|{LOWER}|{SCALED})"
)
"""What is not to be done with a parameter."""

VERBS = re.compile(rf"\b(?:{RAISE}|{LOWER}|{REMOVE}|{KEEP})\b")
"""What is to become of a thing; alone they say nothing."""

IMPROVE = re.compile(
    r"\b(?:better|improv\w*|optimi[sz]e\w*|best|well|good|perform\w*|tune|tuning|results?|explore|search|"
    r"investigate|next\s+wave|try\s+next|what(?:'s|\s+is)?\s+next|next\s+(?:steps?|ideas?|experiments?)|go\s+on|continue|carry\s+on|another\s+wave|baseline|start)\b"
)
"""Words that ask for a wave without saying about what."""

_SPELLED = """
    learning rate entropy gamma network layers epochs batches clipping activation baseline experiments variations seeds
    iterations robots velocity tracking turning terrain rough stairs energy smooth smoother stable explore exploration
    increase decrease reduce raise lower double halve without remove improve better faster weight reward action scale
    minutes hours slightly
"""

SPELLED = tuple(_SPELLED.split())
"""Words whose misspellings are read as them, where they would not be understood."""

CLOSE = 0.84
"""How alike a misspelling is to its word at least, as ``difflib`` counts."""

_FILLERS = """
    a about after again all also am an and another any are as at away be been before being both but by can could
    dhav1 did do does doing during each either else enough even every few first for from full further get gets getting
    give given go goes going has have having he her here him his how i if in into is isaac it its itself just keep lab
    let lets like little make makes making many may maybe me might more most much must my need needs new next not now of
    off ok okay on once one only onto or other our out over own per please plan policy possible propose proposes put
    quadruped really reward rewards robot robots run runs same see set sets should show since so some something start
    still such sure take than thanks that the their them then there these they thing things this those through to
    together too toward towards train training trains try trying under until up us use uses using vary very via wait
    walk walking walks want wants was wave waves way we well were what when where whether which while who why will wish
    with within without work works would yet you your and/or vs versus dog
    machine simulation task wavebook experiment experiments different
    find out effect effects change changes changing changed help helps bit lot ground surface around less reduce
    increase lower raise higher test tests compare check idea ideas weight weights term terms value values parameter
    parameters seeds seed iterations robot's it's i'd i'm let's don't doesn't didn't which's commanded actually small
    quick short simple cheap good budget most max maximum least minimum limit limits total device devices fix faster
    w n smth slightly happens number look instead done rid everything fixed
    slower u ur pls plz hey hi wanna gonna dont stay stays exps exp its' amount factor times exactly
"""

FILLERS = frozenset(_FILLERS.split())
"""Words that say nothing about what to plan."""


def count(text: str) -> float:
    """The number that ``COUNT`` matched."""
    word = re.sub(r"\s+", " ", text.strip())
    if word in NUMBER_WORDS:
        return NUMBER_WORDS[word]
    thousands = word.endswith("k")
    return float(word.removesuffix("k").strip().replace(",", "")) * (1000 if thousands else 1)


def factor(amount: str, way: str | None) -> float:
    """What a value is multiplied by.

    Args:
        amount: What ``SCALED`` or ``AMOUNT`` matched.
        way: ``stronger`` or ``weaker``, None where the amount alone says it.
    """
    known = {"doubl": 2.0, "twice": 2.0, "tripl": 3.0, "quadr": 4.0, "halv": 0.5}
    if (scaled := next((times for word, times in known.items() if amount.startswith(word)), None)) is not None:
        return scaled
    part = next((size for word, size in PARTS.items() if amount.endswith(word)), None)
    if (percent := re.match(r"(\d+(?:\.\d+)?)\s*(?:%|per)", amount)) is not None:
        part = float(percent[1]) / 100
    if part is not None:
        return part if way is None else 1 + part if way == "stronger" else 1 - part
    number = re.search(r"\d+(?:\.\d+)?", amount)
    words = [count(word) for word in NUMBER_WORDS if re.search(rf"\b{word}\b", amount)]
    times = float(number[0]) if number else words[0]
    return 1 / times if way == "weaker" and times else times


def value(text: str) -> float | int:
    """The number that ``NUMBER`` matched; whole where it is written whole."""
    return int(text) if re.fullmatch(r"[-+]?\d+", text) else float(text)
