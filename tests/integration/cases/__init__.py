"""Every case, in the order in which they run: the quick ones first."""

from cases import (
    build, compilers, databases, debian, fork, git, java, network, node, postgresql, python,
    scripts, stress, threads,
)

CASES = [
    case
    for module in (scripts, debian, git, threads, fork, stress, databases, postgresql, network,
                   compilers, build, node, java, python)
    for case in module.CASES
]
