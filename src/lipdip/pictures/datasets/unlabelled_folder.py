"""A directory of pictures without labels, such as CelebA-HQ, to train a GAN on."""

from pathlib import Path, PurePath

from lipdip.core import check
from lipdip.core.errors import UserError
from lipdip.pictures.datasets.data_files import Files, byte_count, digest, entries, listed
from lipdip.pictures.datasets.dataset import Dataset, check_size, directory
from lipdip.pictures.formats import suffixes
from lipdip.pictures.picture import sides
from lipdip.pictures.readable_name import readable_name

UNFINISHED = (".crdownload", ".download", ".part", ".partial", ".tmp")  # what a browser or a copy ends names with


def unlabelled(path: str, size: int, share: float = 1.0, held_out: int = 64) -> Dataset:
    """Pictures of any format below ``path``, in sub-folders or not; names that begin with a dot are ignored.

    Of the files, sorted by their relative path, ``held_out`` evenly spread ones are the test split, whatever
    ``share`` is. Of the others ``share``, rounded to the nearest (at least one) and evenly spread, is the train split.
    The digest is over the relative paths and the sizes in bytes of both splits, so another share is other data.

    Every file's name and header are checked at once, pixels are read when needed: 30,000 files of 1024x1024 pixels
    take one or two seconds where the system has them in memory.

    Args:
        path: the directory.
        size: side of the pictures given out, in pixels; none may be enlarged to it.
        share: of the pictures that are not held out, in (0, 1]; the paper fine-tunes on 0.4 of CelebA-HQ.
        held_out: number of pictures for scoring.

    Raises:
        ValueError: if a setting is invalid, or ``path`` cannot be a path.
        UserError: if there is no directory, or too few pictures in it, or a file is not a picture, truncated or
            too small.
    """
    check_size(size)
    check.number("share", share, above=0, high=1)
    check.number("held_out", held_out, low=1, whole=True)
    root = directory(path)
    if root.is_file():
        raise UserError(f"{root} is a file; dataset.path must be the directory that the pictures lie in")
    if not root.is_dir():
        raise UserError(f"there is no directory at {root}; put the pictures there, or point dataset.path elsewhere")
    found = sorted(_found(root))
    _check_names(root, found)
    if len(found) <= held_out:
        raise UserError(
            f"{root} holds {len(found)} pictures, and dataset.held_out={held_out} of them are for testing alone; "
            f"put at least {held_out + 1} there, or give a smaller dataset.held_out"
        )
    _check_sides(root, found, size)
    tested = set(_spread(held_out, len(found)))
    rest = [file for place, file in enumerate(found) if place not in tested]
    train = [rest[place] for place in _spread(max(1, round(share * len(rest))), len(rest))]
    test = [found[place] for place in sorted(tested)]
    splits = (("train", train), ("test", test))
    return Dataset(
        readable_name(root.absolute().name),
        (),
        _files(root, train, size),
        _files(root, test, size),
        digest((f"{split}/{name}", n_bytes) for split, files in splits for name, n_bytes in files),
        (f"{root}: trained on {len(train)} of the {len(rest)} pictures that are not held out",) if share < 1 else (),
    )


def _found(place: Path, below: str = "") -> list[tuple[str, int]]:
    """The path below the directory and size in bytes of each file."""
    found = []
    for entry in entries(place):
        try:
            is_folder = entry.is_dir()
        except OSError as error:
            raise UserError(f"cannot read {entry.path}: {error.strerror}") from None
        if is_folder:
            found += _found(Path(entry.path), f"{below}{entry.name}/")
        else:
            found.append((f"{below}{entry.name}", byte_count(entry)))
    return found


def _check_names(root: Path, found: list[tuple[str, int]]) -> None:
    """Refuse files that are not pictures before anything is read."""
    if not found:
        raise UserError(f"{root} is empty; put the pictures there, or point dataset.path elsewhere")
    known = {*suffixes(), *UNFINISHED}
    foreign = [name for name, _ in found if _suffix(name) not in known]
    if foreign:
        raise UserError(
            f"{root} holds files that by their names are no pictures ({len(foreign)} of {len(found)} files): "
            f"{listed(foreign)}; move them elsewhere"
        )
    halves = [name for name, n_bytes in found if not n_bytes or _suffix(name) in UNFINISHED]
    if halves:
        raise UserError(
            f"{root} holds files that are empty or half copied ({len(halves)} of {len(found)} files): "
            f"{listed(halves)}; copy them again, or delete them"
        )


def _suffix(name: str) -> str:
    return PurePath(name).suffix.lower()


def _check_sides(root: Path, found: list[tuple[str, int]], size: int) -> None:
    small = [name for name, _ in found if min(sides(root / name)) < size]
    if small:
        raise UserError(
            f"{root} holds pictures with a side of less than {size} pixels ({len(small)} of {len(found)} files): "
            f"{listed(small)}; enlarged they would be blurred; remove them, or take a smaller generator"
        )


def _spread(count: int, n: int) -> list[int]:
    """``count`` indices into a list of ``n``: the middles of as many equal parts."""
    return [(2 * i + 1) * n // (2 * count) for i in range(count)]


def _files(root: Path, files: list[tuple[str, int]], size: int) -> Files:
    return Files.below(root, (name for name, _ in files), [0] * len(files), size)
