"""A folder of pictures with one sub-folder per class, as ImageNet has it; pictures are read when needed."""

from pathlib import Path

from lipdip.core.errors import UserError
from lipdip.pictures.datasets.data_files import Files, byte_count, digest, entries, listed
from lipdip.pictures.datasets.dataset import Dataset, check_size, directory
from lipdip.pictures.readable_name import readable_name

LAYOUT = "train/CLASS/PICTURE and val/CLASS/PICTURE (or test/ for val/)"


def folder(path: str, size: int) -> Dataset:
    """Pictures of any format and size below ``path``: train/CLASS/PICTURE and val/CLASS/PICTURE, or test/ for val/.

    Names that begin with a dot are ignored. The digest is over the sorted relative paths and the files' sizes, not
    their contents, since reading all of ImageNet takes longer than many a run.

    Args:
        path: the directory that holds ``train`` and ``val``.
        size: side of the pictures, in pixels.

    Raises:
        ValueError: if ``size`` is not a whole number of at least 8, or ``path`` cannot be a path.
        UserError: if a split or a class is missing or empty, or the splits have different classes.
    """
    check_size(size)
    root = directory(path)
    if not root.is_dir():
        raise UserError(f"there is no folder at {root}; put {LAYOUT} there, or point dataset.path elsewhere")
    splits = [entry.name for entry in entries(root) if entry.is_dir()]
    if "train" not in splits:
        raise UserError(f"{root} has no train/; dataset.path must hold {LAYOUT}")
    held_out = next((name for name in ("val", "test") if name in splits), None)
    if held_out is None:
        raise UserError(f"{root} has neither val/ nor test/; dataset.path must hold {LAYOUT}")
    train, test = (_classes(root / split) for split in ("train", held_out))
    for here, there, missing in (("train", held_out, train - test), (held_out, "train", test - train)):
        if missing:
            raise UserError(f"{root} has {listed(missing)} in {here}/ but not in {there}/; both need the same classes")
    if len(train) < 2:
        raise UserError(f"{root / 'train'} has one class only, {listed(train)}; there must be two to tell apart")
    names = tuple(sorted(train))
    train_pictures, test_pictures = _pictures(root, "train", names), _pictures(root, held_out, names)
    both = "val" in splits and "test" in splits
    return Dataset(
        readable_name(root.absolute().name),
        names,
        _files(root, train_pictures, size),
        _files(root, test_pictures, size),
        digest((name, n_bytes) for name, n_bytes, _ in train_pictures + test_pictures),
        (f"{root} has both val/ and test/; val/ was taken",) if both else (),
    )


def _classes(split: Path) -> set[str]:
    names = {entry.name for entry in entries(split) if entry.is_dir()}
    if not names:
        raise UserError(f"{split} holds no folder with the pictures of a class; dataset.path must hold {LAYOUT}")
    return names


def _pictures(root: Path, split: str, names: tuple[str, ...]) -> list[tuple[str, int, int]]:
    """The path below ``root``, size in bytes and label of each picture."""
    found = []
    for label, name in enumerate(names):
        place = root / split / name
        inside = entries(place)
        if not inside:
            raise UserError(f"{place} is empty; every class needs a picture in {split}/")
        for entry in inside:
            if entry.is_dir():
                raise UserError(f"{entry.path} is a folder; the pictures of a class lie directly in {place}")
            found.append((f"{split}/{name}/{entry.name}", byte_count(entry), label))
    return found


def _files(root: Path, pictures: list[tuple[str, int, int]], size: int) -> Files:
    return Files.below(root, (name for name, _, _ in pictures), [label for _, _, label in pictures], size)
