"""What a corpus is, is for and is not: the same words in every format."""

from dataclasses import dataclass
from functools import cached_property

from avatars import expression
from pipeline.study import Study

CREATOR = "Pallor"
NOTICE = "This is not a medical device and was not validated on patients."
INTENDED = (
    "Research on reading facial action units from video, and on how splits, leakage and synthetic "
    "data change what an accuracy is worth.",
    "Developing and testing video pipelines without filming patients.",
)
FORBIDDEN = (
    f"Any decision about a person's care. {NOTICE}",
    "Recognising, identifying or tracking people, or claims about a person who resembles a face.",
    "Passing a clip off as a recording of a real person.",
)
BIAS = "Sex is drawn as female or male and ethnicity from three groups; neither is how people are."
SENSITIVE = (
    "Age, sex and ethnicity of a rendered face are parameters of geometry. Those of a photographed "
    "person are as its register records them, else unknown, never guessed."
)
RETENTION = (
    "A face is kept as long as its licence and consent allow. `pallor forget` lists what derives "
    "from a portrait or an identity, then removes it from workspace, cache and local remote. "
    "Copies that were handed out are out of its reach: their holders must take the next version."
)
ACCESS = (
    "The exported folder holds no personal data beyond the registered photographs' faces; who may "
    "read it is up to whoever hosts it. Each row names its licence and consent."
)
MAINTENANCE = (
    "A version is a commit: `pallor diff` says what changed between two, `pallor verify` whether "
    "anything was altered since."
)


@dataclass(frozen=True)
class Words:
    """What the formats say of one study's corpus."""

    study: Study

    @property
    def name(self) -> str:
        return f"pallor-{self.study.name}"

    @property
    def title(self) -> str:
        return f"Pallor: {self.study.title}"

    @property
    def description(self) -> str:
        """Three sentences and the question."""
        still = ", and static faces animated with the First Order Motion Model"
        return (
            f"{self.study.question} Synthetic videos of faces that perform expressions defined by "
            f"FACS action units: avatars rendered in Blender{still if self.study.portraits else ''}"
            ". Every clip is derived from code, parameters and seeds. Not a medical device."
        )

    @property
    def keywords(self) -> list[str]:
        shown = dict.fromkeys(
            c.kind.replace("_", " ") for a in self.study.arms for c in a.conditions
        )
        return ["synthetic data", "facial expression", "FACS", "action units", "video",
                self.study.name.replace("_", " "), *shown]  # fmt: skip

    @cached_property
    def sources(self) -> list[str]:
        """Where the expressions are defined."""
        names = dict.fromkeys(name for arm in self.study.arms for name in arm.expressions)
        return list(dict.fromkeys(expression.load(name).source for name in names))

    @property
    def citation(self) -> str:
        paper = f"re-creates {self.study.published.source}, " if self.study.published else ""
        return f"Pallor; {paper}with the expressions of {'; '.join(self.sources)}"

    @property
    def limits(self) -> list[str]:
        """What the corpus cannot show, as far as the study says."""
        limits = [
            "The faces are clean game characters and animated stills; nobody FACS-coded the "
            "renders, so the labels are what was set, not what was measured.",
            *self._without_negative(),
            f"The expressions follow {'; '.join(self.sources)}, as Pallor reads them.",
            BIAS,
        ]
        if leaky := [name for name, rules in self.study.protocols.items() if rules.leaky]:
            limits.append(
                f"Leaky protocols ({', '.join(leaky)}) may share people and frames between their "
                "sides; a figure to quote comes from another."
            )
        return limits

    def _without_negative(self) -> list[str]:
        """A sentence for each task whose every class is a finding."""
        sentences = []
        for name, task in self.study.tasks.items():
            asked = [label for label in self.study.labels if task.class_of(label, {})]
            classes = {"positive", "negative"} if task.positive else set(task.classes or asked)
            if classes <= set(task.detect):
                sentences.append(
                    f"The task {name} has no negative class: finding or none is another task."
                )
        return sentences
