"""The pictures and seeds that a configuration names."""

from omegaconf import DictConfig

from lipdip.core.errors import UserError
from lipdip.pictures import Picture, read
from lipdip.tasks.build import build
from lipdip.tasks.science import plain


def whole(node: DictConfig, name: str) -> int:
    """The setting ``name``, a seed.

    Raises:
        UserError: if it is no whole number of at least 0.
    """
    value = node
    for key in name.split("."):
        value = value[key]
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise UserError(f"{name} must be a whole number of at least 0, not {value!r}")
    return value


def pictures(cfg: DictConfig) -> list[Picture]:
    """All pictures that ``image`` names; ``image.path`` may be a list of files, or a folder."""
    sources = cfg.image.get("pictures") or {}
    if not sources:
        raise UserError("give at least one image")
    path = plain(cfg.image)["path"]
    if path is not None and not {"file", "folder"} & set(sources):
        other = next(iter(sources))
        raise UserError(f"image.path needs image=file or image=folder beside it; image={other} has its own")
    found: list[Picture] = []
    for name, source in sources.items():
        several = name == "file" and isinstance(path, list)
        built = [read(one, str(cfg.paths.data_dir)) for one in path] if several else build(source)
        found += built if isinstance(built, list) else [built]
    if not found:
        raise UserError("image.path is an empty list; give at least one picture")
    names = [picture.name for picture in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UserError(f"two pictures are called {twice}; results go by name, so give them different ones")
    return found
