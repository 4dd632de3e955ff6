"""All exhibits in the paper's order. Each is declared in a module of this folder; whatever stands there is found."""

import importlib
import pkgutil
import re

from lipdip.core.errors import UserError
from lipdip.reports import exhibits
from lipdip.reports.exhibit import Exhibit, NotDrawn
from lipdip.reports.gallery import Gallery


def declared() -> list[Exhibit | Gallery | NotDrawn]:
    """The exhibits that the modules of this folder declare, each once."""
    names = [module.name for module in pkgutil.iter_modules(exhibits.__path__, f"{exhibits.__name__}.")]
    values = [value for name in names if name != __name__ for value in vars(importlib.import_module(name)).values()]
    found = {value.name: value for value in values if isinstance(value, Exhibit | Gallery | NotDrawn)}
    return list(found.values())


def _place(exhibit: Exhibit | Gallery) -> tuple[float, str]:
    """Its place among all: the number in its name, as in ``fig10``, unless it names another."""
    number = re.search(r"\d+", exhibit.name)
    return (float(number[0]) if number else 99.0) if exhibit.place is None else exhibit.place, exhibit.name


_ALL = declared()
DRAWN = tuple(sorted((one for one in _ALL if not isinstance(one, NotDrawn)), key=_place))
NOT_DRAWN = tuple(one for one in _ALL if isinstance(one, NotDrawn))


def named(name: str) -> Exhibit | Gallery:
    """The exhibit of that name.

    Raises:
        UserError: if there is none, or it is not drawn here; says what there is.
    """
    found = next((one for one in (*DRAWN, *NOT_DRAWN) if one.name == name), None)
    if isinstance(found, NotDrawn):
        raise UserError(f"{name} is not drawn here: {found.why}")
    if found is None:
        raise UserError(f"there is no exhibit {name!r}; there are {', '.join(exhibit.name for exhibit in DRAWN)}")
    return found
