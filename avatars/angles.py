"""From where a camera may look at a face: degrees, azimuth + on the person's own left.

The five named angles are those of the Karolinska Directed Emotional Faces (Lundqvist, Flykt and
Ohman 1998); which profile is seen is said by the person's own side.
"""

from avatars.errors import AvatarError

# Beyond, there is no face to see: the ear, the crown, the nostrils.
AZIMUTH, ELEVATION = 90.0, 20.0
NAMED = {
    "full-left": (90.0, 0.0),
    "half-left": (45.0, 0.0),
    "straight": (0.0, 0.0),
    "half-right": (-45.0, 0.0),
    "full-right": (-90.0, 0.0),
}


def require(azimuth: float, elevation: float) -> None:
    """Raise AvatarError for an angle from which no camera looks."""
    for name, value, limit in (("azimuth", azimuth, AZIMUTH), ("elevation", elevation, ELEVATION)):
        if not -limit <= value <= limit:
            raise AvatarError(
                f"a camera at {name} {value:g} degrees sees too little of a face; "
                f"use {-limit:g} to {limit:g}"
            )
