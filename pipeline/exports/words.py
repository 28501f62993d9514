"""What the corpus is, is for and is not: the same words in every format."""

NAME = "pallor"
TITLE = "Pallor: synthetic face displays of patient deterioration"
CREATOR = "Pallor"
DESCRIPTION = (
    "Synthetic videos of faces that perform displays of patient deterioration, defined by FACS "
    "action units: avatars rendered in Blender, and static faces animated with the First Order "
    "Motion Model. Every clip is derived from code, parameters and seeds. Not a medical device."
)
KEYWORDS = (
    "synthetic data", "facial expression", "FACS", "action units", "patient deterioration", "video",
)  # fmt: skip
CITATION = (
    "Pallor; re-creates Al-Tekreeti et al., Informatics 2024, 11(3):59, with the face displays of "
    "Madrigal-Garcia et al., Crit Care Med 2018, 46:1057-1062"
)
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
LIMITS = (
    "The faces are clean game characters and animated stills; nobody FACS-coded the renders, so "
    "the labels are what was set, not what was measured.",
    "The five displays have no negative class: 'deteriorating or not' is another task.",
    "The displays follow 34 ward patients (Madrigal-Garcia et al. 2018) as Pallor reads them.",
    "Sex is drawn as female or male and ethnicity from three groups; neither is how people are.",
    "The published split shares people and frames between its sides; only the clean one does not.",
)
SENSITIVE = (
    "Age, sex and ethnicity of a rendered face are parameters of geometry. Those of a photographed "
    "person are as its register records them, else unknown, never guessed.",
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
