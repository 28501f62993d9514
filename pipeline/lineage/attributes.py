"""The attributes of a clip that people ask by, each with what it is of."""

# The order is that of the page.
NAMES = {
    "label": "as the study's arms name it", "expression": "such as smiling",
    "kind": "avatar or transfer", "status": "kept, quarantined or planned",
    "reason": "of the quarantine", "side": "draw and side, such as clean:test or folds-1:train",
    "sex": "of who is seen", "age": "years of who is seen, such as 60: or :30 or 30:60",
    "band": "of that age, such as 60+", "tone": "of the skin as the first crop shows it",
    "condition": "that the face performs under, such as palsy",
    "severity": "of such a condition, 0 to 1, such as 0.5:",
    "unit": "how far a unit goes on either own side, 0 to 1, such as 12=0.5: or 12L=0.5:",
    "error": "of the study's main model, 0 to 1, such as 0.5:",
    "cohort": "of who performs", "identity": "who drives the motion or is seen, such as 3",
    "portrait": "whose face is seen", "camera": "as `explain` names it",
}  # fmt: skip
