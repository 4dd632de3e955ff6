"""W&B's client and the account that it would use, found out without beginning its session."""

import configparser
import os
from netrc import NetrcParseError, netrc
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from lipdip.core.errors import UserError

_OWN_MODES = ("online", "offline", "disabled", "shared", "dryrun", "run")  # that W&B knows; the last two are old names
_FORMER_HOST = "api.wandb.ai"  # keys of W&B's own server may stand below this name or below the client's


def client() -> Any:
    """W&B's client.

    Raises:
        UserError: if it is not installed, or cannot be imported.
    """
    try:
        import wandb

        wandb.init  # noqa: B018  # a mere folder called wandb can be imported too
    except Exception as error:  # a broken installation raises whatever it likes
        raise UserError(f"logger=wandb needs W&B: pip install --upgrade wandb ({one_line(error)})") from None
    return wandb


def own_mode() -> str:
    """What W&B's own settings say, ``WANDB_MODE`` before its files (``wandb offline`` writes there)."""
    named = "WANDB_MODE" if os.environ.get("WANDB_MODE") else "mode in W&B's settings file"
    mode = _setting("mode") or "online"
    if mode not in _OWN_MODES:
        raise UserError(f"{named} must be online, offline or disabled, not {mode!r}")
    return {"dryrun": "offline", "run": "online"}.get(mode, mode)


def logged_in() -> bool:
    """Whether a key is at hand, found out without W&B's session, which would remember that it was asked online."""
    if os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_IDENTITY_TOKEN_FILE") or _setting("api_key"):
        return True
    given = os.environ.get("NETRC")
    usual = [Path.home() / name for name in (".netrc", "_netrc")]
    file = Path(given).expanduser() if given else next((one for one in usual if one.exists()), usual[0])
    try:
        known = netrc(file)  # by its name: the usual one would have to be private, and W&B does not ask that
        return any(known.authenticators(host) is not None for host in _hosts())
    except (OSError, NetrcParseError):
        return False


def _hosts() -> set[str]:
    """Names that the key of the client's server may stand below."""
    settings, given = client().Settings, _setting("base_url")
    try:
        own = settings(base_url=given).base_url if given else settings().base_url
    except ValueError as error:
        raise UserError(f"W&B's base_url cannot be {given!r}: {one_line(error)}") from None
    hosts = {urlparse(url).netloc for url in (own, given) if url}
    official = {urlparse(settings().base_url).netloc, _FORMER_HOST}
    return hosts | official if hosts & official else hosts


def _setting(name: str) -> str | None:
    """One of W&B's own settings: of the environment, of the folder that one is in, or of the account."""
    home = Path(os.environ.get("WANDB_CONFIG_DIR") or "~/.config/wandb").expanduser()
    here = Path(os.environ.get("WANDB_DIR") or ".") / "wandb"
    files = configparser.ConfigParser(interpolation=None)
    try:
        files.read([home / "settings", here / "settings"])  # later ones win
    except (configparser.Error, UnicodeDecodeError):
        files.clear()  # W&B itself passes over it
    return os.environ.get(f"WANDB_{name.upper()}") or files.get("default", name, fallback=None)


def one_line(error: Exception) -> str:
    """What an error says, in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:3]).rstrip(".")[:300] or type(error).__name__
