"""What a case is, and what it needs of the machine."""

import glob
import shutil
from collections.abc import Callable
from dataclasses import dataclass

# Nothing of the caller's PATH: a locally built program would make the result depend on the machine.
SEARCH_PATH = "/usr/bin:/bin:/usr/sbin:/sbin"


class CaseFailed(Exception):
    """The case is over and did not pass; the message is what the report shows."""


@dataclass(frozen=True)
class Case:
    name: str
    about: str
    run: Callable  # run(session); called once per allocator, in an empty folder
    programs: tuple[str, ...] = ()
    files: tuple[str, ...] = ()  # patterns outside PATH, such as a test suite's folder
    limit_seconds: int = 90  # for one run of the two


def reason_to_skip(case):
    """A sentence when the machine lacks something, otherwise an empty string."""
    lacking = [name for name in case.programs if not shutil.which(name, path=SEARCH_PATH)]
    lacking += [pattern for pattern in case.files if not glob.glob(pattern)]
    return f"not installed: {', '.join(lacking)}" if lacking else ""
