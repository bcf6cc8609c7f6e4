"""Reads a directive: free English in, a ``Directive`` out, with what was understood and what was not.

Each step takes the words it recognises out of the text, the special before the general; what no step took and is no
filler is reported back. Nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches

from wavebook.agent.by_name import BEST
from wavebook.agent.directive import Assignment, Directive, Intent, Wish
from wavebook.agent.topics import BY_KEY, TOPICS
from wavebook.agent.vocabulary import (
    ALIASES,
    AMOUNT,
    BY_NAME,
    CLOSE,
    COUNT,
    COUNTED,
    DURATION,
    FILLERS,
    FORBID,
    GROUPS,
    IMPROVE,
    JOINED,
    JOINING,
    KEEP,
    LOWER,
    NUMBER,
    ONLY,
    RAISE,
    REMOVE,
    SCALED,
    SECONDS,
    SPELLED,
    TRY,
    UNITS,
    VERBS,
    count,
    factor,
    value,
)
from wavebook_tools.errors import UsageError, did_you_mean
from wavebook_tools.records.plan import MOST_SEEDS
from wavebook_tools.tasks import TaskSchema

_TAKEN = "\x1f"
"""Stands where words were taken out, so that what lies on either side does not join."""

_QUESTIONS: tuple[tuple[Intent, str], ...] = (
    (
        "greeting",
        r"\W*(?:hi|hello|hey|good\s+(?:morning|afternoon|evening|day))(?:\W+(?:there|wavebook|agent|all))?\W*",
    ),
    ("thanks", r"\W*(?:thanks|thank\s+you|great|nice|cool|ok|okay|perfect)(?:\W+\w+){0,3}\W*"),
    (
        "stop",
        r"\W*(?:please\s+)?(?:stop|cancel|kill|abort|halt|drop|skip|leave\s+out|omit)\W+"
        r"(?:everything|all|it|that|this|now|(?:(?:all|the|that|this)\s+)*(?:runs?|waves?|night|training)(?:\s+\d+)?"
        r"|(?:the\s+)?exp\d{3,}(?:/s\d+(?:-r\d+)?)?)(?:\s+(?:now|please))?\W*",
    ),
    ("help", r"\W*/?(?:help|what\s+can\s+(?:you|i)\s+\w+|who\s+are\s+you|how\s+does\s+(?:this|it)\s+work)\b.{0,60}"),
    (
        "status",
        r"\W*/?(?:(?:what(?:'s|’s|\s+is)\s+the\s+)?(?:status|progress|state)\b.*"
        r"|how\s+(?:is|are|was|were|did|far|goes|long)\b.*"
        r"|what(?:'s|’s|\s+is|\s+are|\s+was)?\s+(?:running|happen\w*+(?!\s+(?:if|when|with|without)\b)|going\s+on|the\s+(?:best|results?|news)).*"
        r"|what\s+(?:did|have|has)\s+(?:we|you|i|it|the\s+\w+)\s+(?:learn|find|found|show|done).*"
        r"|(?:show|tell|give)\s+(?:me\s+)?(?:the\s+)?(?:status|progress|results?|best)\b.*"
        r"|which\s+(?:experiment|run|wave|one)\b.*|(?:best\s+so\s+far|any\s+news|are\s+we\s+done)\W*)",
    ),
)


MOST_VALUES = 32
"""The most values of a range."""

ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3}
"""GPUs as people count them, and their indices."""

_DIAGNOSE = (
    r"\b(?:diagnos\w*|isolat\w*|root\s+cause|what\s+(?:broke|went\s+wrong)"
    r"|why\b.{0,60}\b(?:fail\w*|hang\w*|hung|crash\w*|br(?:eak|oke)\w*|collaps\w*|diverg\w*|die[ds]?)"
    r"|(?:find|narrow)\b.{0,30}\b(?:causes?|culprit|terrains?\s+that\s+(?:hang|break|crash)))\b"
)


_MEND = (
    r"\b(?:mend|fix|repair|cure)(?:s|ed|ing)?\b"
    r"(?:.{0,40}?\b(?:exp\d{3,}|failures?|failed|crash\w*|broken)\b|\s+(?:it|(?:the|this|that)\s+(?:run|experiment))\W*$)"
)


_FAILURES: tuple[tuple[Intent, str, str], ...] = (
    ("diagnose", _DIAGNOSE, "isolate why {} failed"),
    ("mend", _MEND, "mend {}"),
)


def read_directive(
    text: str, tasks: Mapping[str, TaskSchema], default_task: str, records: Collection[str] = ()
) -> Directive:
    """Read a directive.

    Args:
        text: What the person wrote.
        tasks: The tasks there are.
        default_task: The one meant where none is named.
        records: Numbers and names of the experiments there are.

    Raises:
        UsageError: It names a parameter by its full name that the task does not have.
    """
    read = _Reader(text, tasks, default_task, records).read()
    schema = tasks.get(read.task or default_task)
    parameters = schema.parameters.items() if schema is not None else ()
    terms = [name.rpartition(".")[2] for name, parameter in parameters if parameter.type == "term"]
    close = {word: get_close_matches(word, [*SPELLED, *terms], 1, CLOSE) for word in read.unknown if len(word) > 4}
    meant = {word: found[0] for word, found in close.items() if found}
    if not meant or read.intent not in {"plan", "reproduce", "compare", "combine"}:
        return read
    # A second reading with the words that may have been meant; it counts where more is understood.
    spelled = text
    for word, near in meant.items():
        spelled = re.sub(rf"(?i)(?<![\w-]){re.escape(word)}(?![\w-])", near, spelled)
    again = _Reader(spelled, tasks, default_task, records).read()
    if len(again.unknown) > len(read.unknown) - len(meant):
        return read
    corrected = ", ".join(f"«{word}» as {near}" for word, near in meant.items())
    return replace(again, text=text, notes=[f"read {corrected}", *again.notes])


class _Reader:
    def __init__(self, text: str, tasks: Mapping[str, TaskSchema], default_task: str, records: Collection[str]) -> None:
        # Lower case where that keeps each character in its place.
        self.rest = "".join(c.lower() if c.isascii() else c for c in text.replace("’", "'"))
        self.tasks = tasks
        self.default_task = default_task
        self.records = records
        self.read_ = Directive(text)
        self.refused: list[str] = []
        """What was read and cannot be followed."""
        self.between: list[tuple[str, bool, float, float]] = []
        """Parameters, whether they take whole numbers, and the ends of a range to look at."""

    def read(self) -> Directive:
        found = self.read_
        for failure, pattern, what in _FAILURES:
            if re.search(pattern, self.rest, re.DOTALL):
                run = re.search(r"\bexp\d{3,}(?:/s\d+(?:-r\d+)?)?\b", self.rest)
                found.intent, found.subject = failure, run[0] if run else None
                self._note(what.format(found.subject or "the newest run that went wrong"))
                return found
        for intent, pattern in _QUESTIONS:
            if re.fullmatch(pattern, self.rest, re.DOTALL):
                found.intent = intent
                return found
        self._corrected()
        self._as_before()
        self._by_name()
        self._reproduction()
        self._task()
        schema = self.tasks.get(found.task or self.default_task)
        if schema is not None:
            self._forbidden(schema)
            self._only(schema)
            self._full_names(schema)
            self._scaled(schema)
            self._ranges(schema)
            self._values(schema)
        self._numbers()
        self._devices()
        if schema is not None:
            self._kept(schema)
            self._named(schema)
        self._topics()
        self._spread()
        found.wants_improvement = bool(self._take(IMPROVE))
        self._take(VERBS)
        left = (word.strip("'") for word in re.findall(r"[^\W_][\w'./-]*", self.rest))  # of any script
        words = (word.rstrip("./") for word in left)
        unknown = [*self.refused, *(word for word in words if word and word not in FILLERS)]
        found.unknown = list(dict.fromkeys(unknown))
        return found

    def _take(self, pattern: str | re.Pattern[str]) -> list[re.Match[str]]:
        """All matches, taken out of the text."""
        matches = list(re.finditer(pattern, self.rest))
        for match in matches:
            self._blank(match.start(), match.end())
        return matches

    def _blank(self, start: int, end: int) -> None:
        self.rest = self.rest[:start] + _TAKEN * (end - start) + self.rest[end:]

    def _note(self, text: str) -> None:
        if text not in self.read_.notes:
            self.read_.notes.append(text)

    def _corrected(self) -> None:
        """«3 seeds, no wait, 5»: the second number stands for the first, unless they count different things."""
        sorry = r"(?:no,?\s+wait|wait,?\s+no|no,?\s+sorry|sorry|i\s+meant?|correction|no,)"
        number, counted = rf"(?<![\w.-])(?:{NUMBER}|{COUNT})(?![\w.-])", rf"(?:\s+({COUNTED})\b)?"
        it = r"(?:make\s+(?:it|that)\s+)?"
        pattern = re.compile(rf"{number}{counted}\s*[,;.–—-]*\s+{sorry},?\s+{it}({number}){counted}")
        place = 0
        while match := pattern.search(self.rest, place):
            first, second, what = match.groups()
            place = match.start(2)
            if first is None or what is None or what.rstrip("s") == first.rstrip("s"):
                meant = " ".join(filter(None, (second, what or first)))
                self.rest = f"{self.rest[: match.start()]}{meant}{self.rest[match.end() :]}"
                place = match.start()

    def _as_before(self) -> None:
        """«Same as last time but with a learning rate of 5e-4»: the size and the base are the last wave's anyway, so
        it says that nothing else is to be tried."""
        before = r"(?:the\s+)?(?:last\s+(?:time|wave|one)|before|previous(?:\s+(?:wave|one|time))?)"
        same = rf"(?:(?:(?:the\s+)?same|exactly|just)\s+(?:as|like)|like|as)\s+{before}|same\s+again"
        if self._take(rf"\b(?:{same})\s*,?\s*\b(?:but|except|only|and)\b(?:\s+(?:now|this\s+time))?"):
            self.read_.nothing_else = True

    def _by_name(self) -> None:
        """«Compare gait-weight and low-entropy», «combine exp002 with exp004»."""
        word = rf"(?<![\w-])(?!(?:{JOINING})\b)[a-z][a-z0-9_-]*"
        kind = r"(?:\s+(?:experiments?|runs?)\b)?"
        item = (
            rf"(?:the\s+|experiments?\s+|runs?\s+)*[\"'«“]?({self._known}|exp[0-9]{{3,}}|{word})[\"'»”]?(?![\w-]){kind}"
        )
        whose = r"(?:(?:the\s+)?(?:changes?|results?|effects?|settings?|ideas?)\s+(?:of|in|from)\s+)?"
        for intent, verbs in BY_NAME.items():
            for match in re.finditer(rf"\b(?:{verbs})\s+{whose}(?=({item}(?:{JOINED}{item})+))", self.rest):
                found = list(re.finditer(item, match[1]))
                named = [self._recorded(one[1]) for one in found]
                recorded = [name in self.records or name in BEST or bool(re.search(r"-|\d{3}", name)) for name in named]
                while len(named) > 2 and not recorded[len(named) - 1]:  # «… and track better»
                    named.pop()
                some = any(name in self.records for name in named) or all(recorded)
                if some and not any(self._is_parameter(name) for name in named):
                    self.read_.intent, self.read_.subjects = intent, named
                    self._note(f"{intent} {', '.join(named[:-1])} and {named[-1]}")
                    self._blank(match.start(), match.start(1) + found[len(named) - 1].end())
                    return

    @property
    def _known(self) -> str:
        """A pattern for the names of the records, as people may spell them; matches nothing where there are none."""
        longest_first = sorted(self.records, key=len, reverse=True)
        return "|".join(re.escape(name).replace(r"\-", r"[\s_-]+") for name in longest_first) or r"(?!)"

    def _recorded(self, words: str) -> str:
        """A name as the records have it: «gait weight» is gait-weight there."""
        joined = re.sub(r"[\s_-]+", "-", words)
        return joined if joined in self.records else words

    def _is_parameter(self, name: str) -> bool:
        schema = self.tasks.get(self.default_task)
        names = self._names(schema) if schema is not None and name not in self.records else []
        return any(re.fullmatch(words, name) for words, _ in names)

    def _reproduction(self) -> None:
        verbs = r"\b(?:reproduc\w*|repeat\w*|replicat\w*|confirm\w*|verify|re-?run)\b"
        match = re.search(verbs + r"[^.;]{0,40}?\b(exp\d{3,}|best|winner|it|that|result\w*|baseline)\b", self.rest)
        match = re.search(rf"{verbs}\s+(?:the\s+)?({self._known})(?![\w-])", self.rest) or match
        if match:
            self.read_.intent = "reproduce"
            name = self._recorded(match[1])
            by_name = name.startswith("exp") or name in self.records
            self.read_.subject = name if by_name else None
            self._note(f"repeat {name if by_name else 'the best so far'} with other seeds")
            self._blank(match.start(), match.end())

    def _task(self) -> None:
        for name in self.tasks:
            if self._take(rf"\b{re.escape(name.lower())}\b"):
                self.read_.task = name
        kinds = {"flat": r"flat|even|level|plane", "rough": r"rough|uneven|bumpy|off-?road"}
        for kind, words in kinds.items():
            ground = r"(?:\s+(?:ground|terrains?|surfaces?|plane|floor|one))?"
            place = rf"\b(?:on|over|across|for|in)\s+(?:the\s+|a\s+)?(?:{words}){ground}\b"
            fitting = [name for name in self._of_model() if kind in name.lower()]
            if self.read_.task is None and fitting and self._take(place):
                self.read_.task = fitting[0]
        if self.read_.task is None and self._wants_him() and "-HIM-" not in self.default_task:
            rough = "rough" in self.default_task.lower()
            self.read_.task = next((name for name in self._of_model() if ("rough" in name.lower()) == rough), None)
        if self.read_.task is not None:
            self._note(f"task {self.read_.task}")

    def _wants_him(self) -> bool:
        """Whether the internal model is named; in small letters «him» is a word like others."""
        return bool(re.search(r"\b(?i:with|use|using|try|train)\s+(?:the\s+)?HIM\b", self.read_.text))

    def _of_model(self) -> list[str]:
        """Tasks with the internal model where that is named, else all."""
        with_model = [name for name in self.tasks if "-HIM-" in name]
        return with_model if with_model and self._wants_him() else list(self.tasks)

    def _full_names(self, schema: TaskSchema) -> None:
        values = (
            rf"(?:\s*(?:=|:|to|at|of)?\s*({NUMBER}(?!\s*(?:{COUNTED})\b)(?![\d.])|true|false|null|none|\[[^\]]*\]))?"
        )
        for match in self._take(rf"\b((?:env|agent)\.[\w.]*\w){values}"):
            name, given = match[1], match[2]
            if name not in schema.parameters and f"{name}.weight" in schema.parameters:
                name = f"{name}.weight"
            if name not in schema.parameters:
                raise UsageError(
                    f"{schema.task} has no parameter {match[1][:80]!r}.{did_you_mean(match[1], schema.parameters)}"
                )
            is_term = name in schema.parameters and schema.parameters[name].type == "term"
            if is_term and given not in {None, "null", "none"} and f"{name}.weight" in schema.parameters:
                name = f"{name}.weight"
            if given is None:
                self._wish(name, self._way(match.start(), match.end()))
            else:
                self._assign(name, _literal(given))

    def _forbidden(self, schema: TaskSchema) -> None:
        """«Don't lower the entropy» leaves it alone: read without its first word, it would say the opposite."""
        for words, name in self._mentioned(schema):
            if self._take(rf"\b(?:{FORBID})\s+(?:the\s+|its\s+)?(?:{words})\b(?:\s+(?:weights?|terms?|penalt\w+))?"):
                self.read_.kept.append(name)
                self._note(f"leave {name} alone")

    def _only(self, schema: TaskSchema) -> None:
        """«Try only the learning rate» leaves out what it does not name; «only 2 seeds» says nothing of that."""
        ways = rf"(?:(?:{TRY}|{RAISE}|{LOWER}|{SCALED})\s+)*(?:with\s+)?(?:the\s+|its\s+|a\s+)?"
        full = r"(?:env|agent)\.\w+"
        for words in [full, *(words for words, _ in self._mentioned(schema))]:
            before = rf"\b(?P<only>{ONLY})\s+{ways}(?:{AMOUNT})?\s*(?:{words})"
            after = rf"\b(?:{words})(?:[\w.]*\w)?(?:\s+(?:weights?|terms?))?\s+(?P<only>only|alone)\b"
            for pattern in (before, after):
                if match := re.search(pattern, self.rest):
                    self._blank(*match.span("only"))
                    self.read_.nothing_else = True

    def _scaled(self, schema: TaskSchema) -> None:
        """Changes by an amount: «double the entropy», «lower it by a third», «a 10x smaller learning rate»."""
        article, ways = r"(?:the\s+|its\s+|a\s+)?", rf"(?P<way>{RAISE}|{LOWER})"
        for words, name in self._mentioned(schema):
            if schema.parameters[name].type not in {"float", "int", "list"}:
                continue
            named = rf"{article}(?:{words})\b(?:\s+(?:weights?|terms?|rewards?|penalt\w+|values?|coef\w*))?"
            be = r"(?:\s+(?:should\s+be|to\s+be|is))?"
            patterns = (
                rf"\b{ways}\s+{named}\s+(?:by\s+)?(?P<amount>{AMOUNT})",
                rf"\b{named}{be}\s+(?:by\s+)?(?P<amount>{AMOUNT})\s+{ways}\b",
                rf"\b{article}(?P<amount>{AMOUNT})\s+{ways}\s+{named}",
                rf"\b(?P<amount>{SCALED})\s+{named}",
                rf"\b(?P<amount>{AMOUNT})\s+(?:of\s+)?the\s+(?:{words})\b",
                rf"\b{named}\s+(?P<amount>doubled|tripled|halved)\b",
                rf"\b{named}{be}\s+to\s+(?P<amount>{SCALED}|{AMOUNT})(?:\s+of\s+\w+(?:\s+\w+)?)?",
            )
            for pattern in patterns:
                for match in self._take(pattern):
                    said = match.groupdict().get("way")
                    way = None if said is None else "stronger" if re.fullmatch(RAISE, said) else "weaker"
                    times = factor(match["amount"], way)
                    if times < 0:  # by 150 % lower
                        self.refused.append(match[0])
                        continue
                    self.read_.wishes.append(Wish(name, "stronger" if times > 1 else "weaker", times))
                    self._note(f"{name} times {times:.4g}")

    def _ranges(self, schema: TaskSchema) -> None:
        for words, name in self._mentioned(schema):
            kind = schema.parameters[name].type
            if kind in {"float", "int"}:
                pattern = rf"\b(?:{words})(?:\s+weights?)?\s+between\s+({NUMBER})\s+and\s+({NUMBER})(?![\d.]|e[-+\d])"
                for match in self._take(pattern):
                    self.between.append((name, kind == "int", float(match[1]), float(match[2])))

    def _spread(self) -> None:
        """Values over each range, evenly; by factors where its ends lie far apart."""
        read = self.read_
        number = min(read.variations or (read.experiments or 4) - 1, MOST_VALUES)
        for name, whole, low, high in self.between:
            steps = [index / (number - 1) for index in range(number)] if number > 1 else [0.5]
            by_factors = low > 0 and high / low >= 10
            for step in steps:
                at = low * (high / low) ** step if by_factors else low + step * (high - low)
                self._assign(name, round(at) if whole else float(f"{at:.3g}"))

    def _values(self, schema: TaskSchema) -> None:
        between = r"\s*(?:coef\w*|weights?|values?)?\s*(?:=|:|of|to|at|is)?\s*"
        join = r"\s*(?:,\s*and|,\s*or|,|/|or|and|vs\.?|versus)\s*"
        numbers = rf"{NUMBER}(?:{join}{NUMBER})*"
        sizes = r"(?:\d+(?:\s*[x×]\s*\d+)+|\d+(?:\s*,\s*\d+)+|\[[\d,\s]+\])"
        for words, name in self._names(schema):
            parameter = schema.parameters[name]
            if parameter.type == "list":
                how = r"(?:\s+(?:deeper|wider|bigger|larger|smaller))?"
                for match in self._take(rf"\b(?:{words}){how}{between}({sizes}(?:{join}{sizes})*)"):
                    for one in re.findall(sizes, match[1]):
                        self._assign(name, [int(item) for item in re.findall(r"\d+", one)])
            elif parameter.type == "str":
                choices = "|".join(re.escape(str(choice)) for choice in parameter.choices or [])
                several = rf"(?:{choices})(?:{join}(?:{choices}))*"
                pattern = rf"\b(?:({several})\s+{words}|{words}{between}({several}))\b"
                for match in self._take(pattern) if choices else []:
                    for choice in re.findall(rf"\b(?:{choices})\b", match[1] or match[2]):
                        self._assign(name, choice)
            elif parameter.type in {"float", "int"}:
                after = rf"\b(?:{words}){between}[(\[]?\s*({numbers})(?!\s*(?:{COUNTED})\b)(?![\d.]|e[-+\d])"
                # «3e-4 and 1e-3 learning rates»; a whole number before a name may count something else.
                fraction = r"(?:\d*\.\d+(?:e[-+]?\d+)?|\d+e[-+]?\d+)"
                before = rf"(?<![\w.-])({fraction}(?:{join}{fraction}){{0,{MOST_VALUES - 1}}})\s+(?:{words})\b"
                named = re.search(rf"\b(?:{words})\b", self.rest) is not None
                for match in (*self._take(after), *self._take(before)) if named else ():
                    for number in re.findall(NUMBER, match[1]):
                        self._assign(name, value(number))
                if parameter.type == "int":  # «24 steps per env», «8 epochs»
                    for match in self._take(rf"(?<![\w.-])(\d+)\s+(?:{words})\b"):
                        self._assign(name, int(match[1]))

    def _names(self, schema: TaskSchema) -> list[tuple[str, str]]:
        """What people may call the task's parameters: (pattern, parameter), the longer names first."""
        names = [(words, name) for words, name in ALIASES if name in schema.parameters]
        for name, parameter in schema.parameters.items():
            term = name.rpartition(".")[2]
            if parameter.type != "term" or f"{name}.weight" not in schema.parameters:
                continue
            spoken = re.sub(r"_(l1|l2|exp)$", "", term)
            for form in dict.fromkeys([term, spoken]):
                if "_" in form:
                    names.append((form.replace("_", r"[\s_-]+"), f"{name}.weight"))
        return sorted(names, key=lambda item: -len(item[0]))

    def _mentioned(self, schema: TaskSchema) -> list[tuple[str, str]]:
        """Those of ``_names`` that stand in the text: few, and long patterns take their time to compile."""
        return [(words, name) for words, name in self._names(schema) if re.search(rf"\b(?:{words})\b", self.rest)]

    def _numbers(self) -> None:
        found = self.read_
        many = rf"(?<![-.\d])\b({COUNT})"  # minus five are none
        ranged = rf"\b(?:{COUNT})\s*(?:-|to|or)\s*({COUNT})"
        if self._take(r"\b(?:(?:just|only)\s+(?:a\s+|the\s+)?baseline|baseline\s+only)\b"):
            self._take(r"\bno\s+(?:other\s+)?(?:experiments?|variations?)\b")
            found.baseline_only, found.experiments = True, 1
        found.nothing_else |= bool(self._take(r"\b(?:and\s+)?nothing\s+(?:else|more)\b"))
        for pattern in (ranged, many):
            for number in self._counts(rf"{pattern}\s+(?:\w+\s+)?(?:experiments?|exps?)\b"):
                found.experiments = number
            for number in self._counts(rf"{pattern}\s+(?:\w+\s+)?(?:variations?|variants?|hypothes[ei]s|ideas?)\b"):
                found.variations = number
        seed = rf"\d+(?!\d|\.\d|\s*(?:{COUNTED}|gpu\w*|[hms])\b)"  # «seeds 3 and 4, 20 minutes» are two
        for match in self._take(r"\bseeds?\s+(\d+)\s*(?:-|–|to)\s*(\d+)\b"):
            first, last = int(match[1]), int(match[2])
            found.seed_list = list(range(first, min(last, first + MOST_SEEDS - 1) + 1)) or None
        for match in self._take(rf"\b(?:seeds?\s+({seed}(?:\s*(?:,|and|,\s*and)\s*{seed})+)|seed\s*[=:#]?\s*({seed}))"):
            found.seed_list = list(dict.fromkeys(int(number) for number in re.findall(r"\d+", match[1] or match[2])))
        for number in self._counts(rf"{many}\s+(?:\w+\s+)?(?:seeds?|repeats?|replicates?|times)\b(?:\s+each)?"):
            found.seeds = number
        for number in self._counts(rf"{many}\s*(?:(?:\w+\s+)?(?:iterations?|iters?|updates?)|its)\b"):
            found.iterations = number
        for number in self._counts(rf"{many}\s+(?:parallel\s+|simulated\s+)?(?:robots?|envs?|environments?)\b"):
            found.num_envs = number
        limit = r"(?:at\s+most|up\s+to|no\s+more\s+than|max(?:imum)?(?:\s+of)?|within|in|under|less\s+than)\s+"
        most = rf"\b(?:{limit})?"
        for number in self._counts(rf"{most}({COUNT})\s+runs?\b"):
            found.runs = number
        for match in self._take(rf"{most}({COUNT})\s*gpu[\s-]*h(?:ours?)?\b"):
            found.gpu_hours = count(match[1])
        for match in (*self._take(rf"{most}{DURATION}"), *self._take(rf"\b{limit}{SECONDS}")):
            parts = match.groupdict()
            amount = count(parts["amount"]) if parts["amount"] else 0.5 if parts["half"] else 1.0
            if amount:
                found.seconds = amount * UNITS[parts["unit"][0]]
            else:
                self.refused.append(match[0])
        if self._take(r"\b(?:overnight|over\s+night)\b"):
            found.seconds = 10 * 3600.0
        for text, given in (
            ("{} experiments", None if found.baseline_only else found.experiments),
            ("{} variations", found.variations),
            ("{} seeds each", found.seeds),
            ("{} iterations", found.iterations),
            ("{} robots", found.num_envs),
            ("at most {} runs", found.runs),
            ("at most {} GPU hours", found.gpu_hours),
        ):
            if given is not None:
                words = text.format(f"{given:g}")
                self._note(re.sub(r"s( each)?$", r"\1", words) if given == 1 else words)
        if found.baseline_only:
            self._note("the baseline alone")
        if found.nothing_else:
            self._note("nothing else")
        if found.seed_list:
            self._note(f"seeds {', '.join(map(str, found.seed_list))}")
        if found.seconds is not None:
            self._note(f"within {found.seconds / 60:g} minutes")

    def _counts(self, pattern: str) -> Iterator[int]:
        """Counts that a pattern finds, taken out of the text. A count of nothing stays there, as not understood."""
        for match in list(re.finditer(pattern, self.rest)):
            number = int(count(match[1]))
            if number >= 1:
                self._blank(match.start(), match.end())
                yield number

    def _devices(self) -> None:
        chosen: list[str] = []
        verbs = r"(?:use|run(?:\s+\w+)?\s+on|touch|take)"
        never = (
            rf"\b(?:without(?:\s+using)?|no|not\s+(?:on|{verbs}|using)|(?:do\s+not|don't|dont|never)\s+{verbs}"
            r"|avoid(?:ing)?|except(?:\s+for)?)"
        )
        listed = r"\d+(?:\s*(?:,|and|or|,\s*and)\s*\d+)*"
        spared: list[str] = []
        for match in self._take(rf"{never}\s+(?:the\s+|a\s+|any\s+)?gpus?\b(?:\s*({listed})\b)?"):
            if match[1]:
                spared += re.findall(r"\d+", match[1])
            else:
                chosen = ["cpu"]
        if spared:
            self.read_.spared = list(dict.fromkeys(spared))
            self._note(f"not on GPU {', '.join(self.read_.spared)}")
        for match in self._take(rf"\b(?:{'|'.join(ORDINALS)})\s+(?:gpu|card)\b"):
            chosen.append(str(ORDINALS[match[0].split()[0]]))
        for match in self._take(rf"\b(?:gpus?|cuda)\s*[:#]?\s*({listed})\b"):
            chosen += re.findall(r"\d+", match[1])
        if self._take(r"\b(?:on\s+)?(?:the\s+|a\s+)?cpu\b"):
            chosen = chosen or ["cpu"]
        self._take(r"\b(?:on\s+)?(?:the\s+|a\s+|any\s+|all\s+)?gpus?\b")  # any GPU is what «auto» means
        if chosen:
            self.read_.devices = list(dict.fromkeys(chosen))
            self._note("on the CPU" if chosen == ["cpu"] else f"on GPU {', '.join(chosen)}")

    def _stays(self) -> None:
        """Goals that are only to be no worse: «keep tracking the same» asks for nothing better."""
        stay = r"(?:same|unchanged|fixed|up|good|(?:as\s+)?(?:good\s+)?as\s+(?:it\s+is|now|before|good))"
        for topic in TOPICS:
            words = topic.words.pattern
            kept = rf"\b(?:keep(?:ing)?|leav(?:e|ing))\s+(?:the\s+)?{words}\s+(?:the\s+|about\s+|just\s+)*{stay}\b"
            spared = rf"\bwithout\s+(?:hurting|losing|sacrificing|worse(?:ning)?)\s+(?:the\s+)?{words}"
            if self._take(f"(?:{kept}|{spared})"):
                self._note(f"{topic.key} is to stay as it is")

    def _kept(self, schema: TaskSchema) -> None:
        names = [*self._names(schema), *GROUPS.items()]
        fixed = r"(?:\s+(?:as\s+\w+(?:\s+\w+)?|fixed|unchanged))?"
        for words, name in names:
            changes = r"(?:changes?|modifications?|tweaks?)"
            kept = rf"\b(?:{KEEP})\s+(?:the\s+|its\s+)?(?:{words}){fixed}\b"
            if self._take(kept) or self._take(rf"\b(?:no|without)\s+(?:any\s+)?(?:{words})\s+{changes}\b"):
                self.read_.kept.append(name)
                self._note(f"leave {name} alone")

    def _named(self, schema: TaskSchema) -> None:
        for words, name in self._names(schema):
            for match in re.finditer(rf"\b(?:{words})\b(?:\s+(?:weights?|terms?|rewards?|penalt\w+))?", self.rest):
                way = self._way(match.start(), match.end())
                self._blank(match.start(), match.end())
                self._wish(name, way)

    def _way(self, start: int, end: int) -> str:
        """What the words around a name want of it."""
        before = re.split(rf"[.;{_TAKEN}]", self.rest[max(0, start - 40) : start])[-1]
        after = re.split(rf"[.;,{_TAKEN}]", self.rest[end : end + 25])[0]
        ways = (("stronger", RAISE), ("weaker", LOWER), ("removed", REMOVE))
        nearest, chosen = -1, "either"
        for way, words in ways:
            for match in re.finditer(rf"\b(?:{words})\b", before):
                if match.start() > nearest:
                    nearest, chosen = match.start(), way
        if nearest < 0:
            for way, words in ways[:2]:
                if re.match(rf"\s+(?:should\s+be\s+|to\s+be\s+|is\s+)?(?:{words})\b", after):
                    return way
        return chosen

    def _wish(self, name: str, way: str) -> None:
        if way == "removed":
            term = name.removesuffix(".weight")
            self.read_.wishes.append(Wish(term, "removed"))
            self._note(f"without {term}")
        else:
            wish = Wish(name, "stronger" if way == "stronger" else "weaker" if way == "weaker" else "either")
            if wish not in self.read_.wishes:
                self.read_.wishes.append(wish)
            said = {"stronger": "raise {}", "weaker": "lower {}"}.get(way, "vary {}")
            self._note(said.format(name))

    def _assign(self, name: str, given: object) -> None:
        assignment = Assignment(name, given)
        if assignment not in self.read_.assignments:
            self.read_.assignments.append(assignment)
            self._note(f"try {name} = {given}")

    def _topics(self) -> None:
        self._stays()
        places = {}
        for topic in TOPICS:
            matches = self._take(topic.words)
            if matches:
                places[topic.key] = matches[0].start()
        # In the order in which the person named them.
        for key in sorted(places, key=lambda key: places[key]):
            self.read_.topics.append(BY_KEY[key])
            self._note(_said(BY_KEY[key].goal))


def _said(goal: str) -> str:
    return goal[:1].lower() + goal[1:]


def _literal(text: str) -> object:
    constants: dict[str, object] = {"true": True, "false": False, "null": None, "none": None}
    if text in constants:
        return constants[text]
    if text.startswith("["):
        items: Sequence[str] = [item.strip() for item in text[1:-1].split(",") if item.strip()]
        return [value(item) if re.fullmatch(NUMBER, item) else item.strip("'\"") for item in items]
    return value(text)
