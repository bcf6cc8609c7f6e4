"""The experiments that a directive suggests beside the baseline, in the order in which they are worth their runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice, zip_longest
from typing import Any

from wavebook.agent.directive import Directive
from wavebook.agent.evidence import Evidence, Ranking, Standing, changed, closed_parameters, fresh_seeds
from wavebook.agent.search import suggestions
from wavebook.agent.steps import scaled, steps
from wavebook.agent.topics import BY_KEY, Topic, Way
from wavebook_tools.errors import UsageError
from wavebook_tools.metrics import quantity
from wavebook_tools.records.code import CodeOverride, marks
from wavebook_tools.records.plan import ExperimentSpec, Overrides, Prediction, slugify
from wavebook_tools.tasks import TaskSchema, check_overrides

ASKED = "the directive asks to try it"
OPPOSITE: dict[Way, Way] = {"stronger": "weaker", "weaker": "stronger"}


@dataclass(frozen=True)
class Variation:
    """One hypothesis and the overrides that test it, on top of the wave's base."""

    overrides: Overrides
    hypothesis: str
    prediction: Prediction
    evidence: list[str] = field(default_factory=list)
    source: str = ""
    """Where it comes from, for the explanation: the directive's words, a topic, an earlier win, the search list."""

    @property
    def slug(self) -> str:
        """A short name of what is changed."""
        parts = [f"{_short(name)} {_shown(value)}" for name, value in self.overrides.items()]
        return slugify(" ".join(parts).replace("_", " ").replace(".", " "), words=10)


@dataclass(frozen=True)
class Setting:
    """What variations are chosen by."""

    schema: TaskSchema
    directive: Directive
    topic: Topic
    """What the wave is about: the number that decides."""
    base: Overrides
    evidence: Evidence
    ranking: Ranking | None
    closed: Sequence[str] = ()
    """Parameters of branches that were closed."""
    code: Sequence[CodeOverride] = ()
    """Terms in source that the base has."""

    def current(self, name: str) -> Any:
        """The value of a parameter in the base."""
        return self.schema.value_of(name, self.base)


def variations(setting: Setting) -> Iterator[Variation]:
    """Untried variations of the base, each valid, the most promising first.

    What the person named comes first; then what earlier waves suggest; then the moves for the topics in turns with what
    the sampler has learnt; last the task's search list, step by step.
    """
    left_alone = closed_parameters(setting.evidence, setting.base)
    seen: list[Overrides] = []
    sampled = _sampled(setting)
    # From two sides of the same sampler: what was measured here weighs more than what is known in general.
    guessed = _in_turns([sampled, _learnt(setting), sampled, _by_topics(setting)])
    # «Only the learning rate»: what is not named is not wanted, however promising.
    others = [] if setting.directive.nothing_else and setting.directive.named else [guessed, _searched(setting)]
    for variation in chain(_named(setting), *others):
        merged = {**setting.base, **variation.overrides}
        kept = any(
            # «Keep the rewards as they are but raise the feet air time»: what is named is the exception.
            name == untouched or (name.startswith(f"{untouched}.") and variation.source != "named")
            for name in variation.overrides
            for untouched in setting.directive.kept
        )
        if kept or merged in seen or merged == setting.base or setting.evidence.has(merged, setting.code):
            continue
        if any(name in left_alone for name in variation.overrides) and variation.source != "named":
            continue
        if any(name in setting.closed for name in variation.overrides):
            continue
        seen.append(merged)
        yield variation


def repeated(standing: Standing, setting: Setting, experiment_id: str) -> ExperimentSpec:
    """A promising configuration on a seed that it has not seen, as an experiment on top of the base."""
    tried, topic = standing.tried, setting.topic
    return ExperimentSpec(
        id=experiment_id,
        slug=f"again-{tried.name}",
        hypothesis=f"The lead of {tried.name} over the base holds on a seed that it has not seen.",
        overrides=_onto_base(setting, tried.overrides),
        code=[term for term in tried.code if term not in setting.code],
        seeds=fresh_seeds(tried.seeds, 1),
        prediction=Prediction(metric=topic.metric, direction=topic.direction),
        evidence=tried.names,
    )


def _named(setting: Setting) -> Iterator[Variation]:
    """What the person asked for by name. A value that cannot be set is an error, not something to pass over."""
    for assignment in setting.directive.assignments:
        overrides = {assignment.parameter: assignment.value}
        if assignment.value == setting.current(assignment.parameter):
            continue
        check_overrides(setting.schema, overrides)
        yield _variation(setting, overrides, _why(setting, assignment.parameter), source="named")
    turns: list[Iterator[Variation]] = []
    for wish in setting.directive.wishes:
        if wish.factor is not None:
            overrides = {wish.parameter: scaled(setting.current(wish.parameter), wish.factor)}
            check_overrides(setting.schema, overrides)
            turns.append(iter([_variation(setting, overrides, _why(setting, wish.parameter), source="named")]))
        elif wish.way == "removed":
            overrides = {wish.parameter: None}
            check_overrides(setting.schema, overrides)
            turns.append(iter([_variation(setting, overrides, ASKED, source="named")]))
        elif wish.way == "either":
            for way in OPPOSITE:
                turns.append(_moved(setting, wish.parameter, way, _why(setting, wish.parameter), source="named"))
        else:
            turns.append(_moved(setting, wish.parameter, wish.way, _why(setting, wish.parameter), source="named"))
    yield from _in_turns(turns)


def _learnt(setting: Setting) -> Iterator[Variation]:
    """What earlier waves suggest: two wins together, and a win taken further."""
    if setting.ranking is None:
        return
    wins = [standing for standing in setting.ranking.others if standing.better]
    base = setting.base
    for win in wins:
        # The base is one of the wins: what the others changed may add to it.
        extra = {
            name: win.tried.overrides[name]
            for name in changed(win.tried.overrides, base)
            if name in win.tried.overrides
        }
        if extra and not set(extra) & set(base) and not _added_before(setting, extra) and _valid(setting, extra):
            why = f"it helped alone in {win.tried.name}, and the two may add up"
            yield _variation(setting, extra, why, evidence=_evidence(setting, win), source="earlier win")
    best = setting.ranking.best
    # Of a win by several changes at once nobody knows yet which helped.
    single = best.tried.overrides if len(best.tried.changes) == 1 else {}
    for name in single:
        if name not in setting.schema.parameters:
            continue
        default = setting.schema.parameters[name].default
        way = _direction(default, best.tried.overrides[name])
        if way is not None:
            why = f"this direction helped in {best.tried.name}"
            further = _moved(setting, name, way, why, evidence=_evidence(setting, best), source="earlier win")
            yield from islice(further, 1)  # one step a wave: the next is known to be right only when this one is


def _by_topics(setting: Setting) -> Iterator[Variation]:
    topics = setting.directive.topics or [BY_KEY["velocity"]]
    yield from _in_turns([_topic(replace(setting, topic=on_task(topic, setting.schema)), topic) for topic in topics])


def _topic(setting: Setting, topic: Topic) -> Iterator[Variation]:
    first: list[Variation] = []
    later: list[Variation] = []
    for move in topic.moves:
        if move.parameter in setting.schema.parameters:
            found = list(_moved(setting, move.parameter, move.way, move.reason, source=topic.key))
            first += found[:1]
            later += found[1:]
    # Every parameter once before any of them a second time.
    yield from first
    yield from later


def _sampled(setting: Setting) -> Iterator[Variation]:
    """What is proposed from everything measured."""
    if setting.ranking is None:
        return
    metric, direction = setting.ranking.metric, setting.topic.direction
    promising = setting.ranking.promising
    around = _onto_base(setting, promising.tried.overrides) if promising else {}
    start = {**setting.base, **around}
    untouched = tuple(setting.directive.kept)
    kept = [name for name in setting.schema.parameters if name in untouched or name.startswith(_below(untouched))]
    without = [*closed_parameters(setting.evidence, setting.base), *setting.closed, *kept]
    known = {**start, **marks(setting.code)}
    found = suggestions(setting.schema, setting.evidence, known, metric, direction, without=without)
    for suggestion in found:
        overrides = {**around, **suggestion.overrides}
        if _valid(setting, overrides):
            evidence = {*suggestion.evidence, setting.ranking.reference.tried.name}
            why = suggestion.why
            if promising is not None:
                evidence.add(promising.tried.name)
                why += f"; it starts from {promising.tried.name}, which looked better than the base"
            yield _variation(setting, overrides, why, evidence=sorted(evidence), source="sampler")


def _below(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{name}." for name in names)


def _onto_base(setting: Setting, overrides: Overrides) -> Overrides:
    """What makes of the wave's base a configuration that was tried."""
    names = changed(overrides, setting.base)
    return {name: setting.schema.value_of(name, overrides) for name in names}


def _searched(setting: Setting) -> Iterator[Variation]:
    turns = []
    for entry in setting.schema.search:
        why = entry.why or "the task names it as worth varying"
        for way in OPPOSITE:
            turns.append(_moved(setting, entry.name, way, why, source="search list"))
    yield from _in_turns(turns)


def _moved(
    setting: Setting, name: str, way: Way, why: str, *, evidence: Iterable[str] = (), source: str
) -> Iterator[Variation]:
    if any(name == gone or name.startswith(f"{gone}.") for gone, value in setting.base.items() if value is None):
        return  # its term is removed in the base
    if _lost(setting, name, way):
        return
    tested = _tested(setting).get((name, way), [])
    if source != "named" and tested and (source != "earlier win" or setting.current(name) in tested):
        return
    current = setting.current(name)
    for value in steps(setting.schema, name, current, way, beyond=source == "named"):
        yield _variation(setting, {name: value}, why, evidence=evidence, source=source)


def _added_before(setting: Setting, overrides: Overrides) -> bool:
    """Whether an earlier wave tried these on top of another win."""
    return any(
        experiment.plan.overrides and experiment.spec.overrides == overrides
        for tried in setting.evidence.tried
        for experiment in tried.experiments
    )


def _tested(setting: Setting) -> dict[tuple[str, Way], list[Any]]:
    """Parameters that an experiment moved alone on the base of its wave, which way, and from which values; whatever
    came of it.

    What helped is taken further as a win; what made no difference there will hardly make one on another base.
    """
    tested: dict[tuple[str, Way], list[Any]] = {}
    for tried in setting.evidence.tried:
        for experiment in tried.experiments:
            if len(experiment.spec.overrides) == 1:
                ((name, value),) = experiment.spec.overrides.items()
                parameter = setting.schema.parameters.get(name)
                before = experiment.plan.overrides.get(name, parameter.default if parameter else None)
                if (way := _direction(before, value)) is not None:
                    tested.setdefault((name, way), []).append(before)
    return tested


def _lost(setting: Setting, name: str, way: Way) -> list[str]:
    """Experiments that moved this parameter alone this way and were worse by more than the noise."""
    if setting.ranking is None:
        return []
    reference = setting.ranking.reference.tried.overrides
    default = setting.schema.value_of(name, reference)
    return [
        standing.tried.name
        for standing in setting.ranking.others
        if standing.worse
        and changed(standing.tried.overrides, reference) == [name]
        and _direction(default, standing.tried.overrides.get(name)) == way
    ]


def _variation(
    setting: Setting, overrides: Overrides, why: str, *, evidence: Iterable[str] = (), source: str
) -> Variation:
    topic = setting.topic
    if topic.measured:
        effect = f"{'lowers' if topic.direction == 'down' else 'raises'} the {_label(topic.metric)}"
        prediction = Prediction(metric=topic.metric, direction=topic.direction, by=_predicted(setting))
    else:
        effect = f"leaves the {_label(topic.metric)} as it is"
        prediction = Prediction(metric=topic.metric, direction="same")
    return Variation(
        overrides,
        f"{_sentence(setting, overrides)} {effect}: {why}.",
        prediction,
        list(evidence) or (_evidence(setting, setting.ranking.reference) if setting.ranking else []),
        source,
    )


def _sentence(setting: Setting, overrides: Overrides) -> str:
    parts = []
    for name, value in overrides.items():
        current = setting.current(name)
        if value is None and setting.schema.parameters[name].type == "term":
            parts.append(f"removing {_shown_name(name)}")
        elif (way := _direction(current, value)) is not None:
            parts.append(f"{_verb(way, value)} {_shown_name(name)} from {_shown(current)} to {_shown(value)}")
        else:
            parts.append(f"setting {_shown_name(name)} to {_shown(value)} instead of {_shown(current)}")
    text = " and ".join(parts)
    return text[:1].upper() + text[1:]


def _verb(way: Way, value: Any) -> str:
    # «Lowering» a weight from -1 to -2 would say the opposite of what it does.
    if isinstance(value, int | float) and value < 0:
        return "strengthening" if way == "stronger" else "weakening"
    return "raising" if way == "stronger" else "lowering"


def on_task(topic: Topic, schema: TaskSchema) -> Topic:
    """The topic with a number that the task has: on flat ground there are no terrain levels."""
    rough = any("terrain_generator" in name for name in schema.parameters)
    if topic.metric == "terrain_level" and not rough:
        return replace(topic, metric="error_vel_xy", direction="down")
    return topic


def _why(setting: Setting, name: str) -> str:
    known = setting.schema.range_of(name)
    return f"{known.why}; {ASKED}" if known is not None and known.why else ASKED


def _predicted(setting: Setting) -> float | None:
    """The smallest relative change that would count: twice the noise, and not under five percent."""
    if setting.topic.direction == "up":
        return None  # a fraction near one cannot grow by percents
    ranking = setting.ranking
    if ranking is None or ranking.noise is None or not ranking.reference.mean:
        return 0.1
    return round(max(0.05, 2 * ranking.noise.deviation / abs(ranking.reference.mean)), 2)


def _evidence(setting: Setting, standing: Standing) -> list[str]:
    names = [standing.tried.name]
    if setting.ranking is not None and setting.ranking.reference.tried.name not in names:
        names.append(setting.ranking.reference.tried.name)
    return sorted(names)


def _valid(setting: Setting, overrides: Overrides) -> bool:
    try:
        check_overrides(setting.schema, {**setting.base, **overrides})
    except UsageError:
        return False
    return True


def _direction(before: Any, after: Any) -> Way | None:
    """Whether a value grew in magnitude; None where that has no meaning."""
    if isinstance(before, list | tuple) and isinstance(after, list | tuple) and before and after:
        try:
            before, after = sum(before), sum(after)
        except TypeError:
            return None
    for value in (before, after):
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
    if abs(after) == abs(before):
        return None
    return "stronger" if abs(after) > abs(before) else "weaker"


def _in_turns(sources: list[Iterator[Variation]]) -> Iterator[Variation]:
    for round_ in zip_longest(*sources):
        yield from (variation for variation in round_ if variation is not None)


def _label(metric: str) -> str:
    label = quantity(metric).label.removesuffix(", evaluation")
    return f"{label[:1].lower()}{label[1:]}"


def _short(name: str) -> str:
    parts = [
        part for part in name.split(".") if part not in {"env", "agent", "rewards", "algorithm", "params", "weight"}
    ]
    return " ".join(parts[-2:]) if parts else name


def _shown_name(name: str) -> str:
    short = name.removeprefix("env.rewards.").removeprefix("agent.algorithm.")
    return f"the weight of {short.removesuffix('.weight')}" if short.endswith(".weight") else short


def _shown(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower() if value is not None else "none"
    if isinstance(value, int | float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return "x".join(_shown(item) for item in value)
    return str(value)
