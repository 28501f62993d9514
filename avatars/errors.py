"""What can be wrong with an avatar, in one sentence each."""


class AvatarError(ValueError):
    """A person, unit, expression or scene that cannot be made as asked."""


class AssetError(OSError):
    """A MakeHuman asset is missing, altered or out of reach."""
