"""The one exception tree of the library.

PallorError                 anything a person can put right; its text is one clear sentence
├── ParamsError             params.yaml or a command-line setting is wrong
├── StudyError              a study's file is wrong, or asks for what there is not
├── AssetError              an asset, checkpoint or photograph is missing, altered or unlicensed
├── ClipError               one clip cannot be made or read; the run goes on without it
│   └── RefusedError        one item is unusable as it is; trying it again would end the same way
└── StageError              a stage's input is missing or does not fit
    └── IncompleteError     the run is through, but items were given up; exit code 3
"""


class PallorError(Exception):
    """What is wrong, where, and what to do, in one sentence."""


class ParamsError(PallorError):
    """A setting is unknown or out of range."""


class StudyError(PallorError):
    """A study's file does not fit its format or contradicts itself."""


class AssetError(PallorError):
    """A file that the line did not make itself is missing, altered or not allowed."""


class ClipError(PallorError):
    """One clip is unusable; callers quarantine it and go on."""


class RefusedError(ClipError):
    """One item (a photograph, a clip) is unusable as it is, so it is not tried again."""


class StageError(PallorError):
    """A stage was run without what it needs."""


class IncompleteError(StageError):
    """Everything that could be made was made; the sentence says what was not."""
