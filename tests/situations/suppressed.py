"""Leaks that a file names are not told; a file that does not count is."""
from bench import differs

OPTIONS = "leak_signal=12:on_report=continue"
RULE = b"leak:lose\n"
KIBIBYTE, MEBIBYTE = 1 << 10, 1 << 20


def comments(length):
    """That many bytes of lines that say nothing."""
    line = b"# " + b"-" * 61 + b"\n"
    return line * (length // len(line))


# title, content, codes, whether a notice says that the file does not count
FILES = (
    ("a rule of a short file counts", RULE, [], False),
    ("a rule for another function does not", b"leak:other\n", ["P501"], False),
    ("a rule behind 64 KiB counts", comments(64 * KIBIBYTE) + RULE, [], False),
    ("a rule at the end of 15 MiB counts", comments(15 * MEBIBYTE) + RULE, [], False),
    ("a rule behind a byte 0 counts", b"#\0\n" + RULE, [], False),
    ("a file of 16 MiB is refused, and that is told", RULE + comments(16 * MEBIBYTE), ["P501"],
     True),
)


def check_files(bench):
    path = bench.shop.folder / "suppressions"
    for title, content, codes, is_told in FILES:
        path.write_bytes(content)
        said = bench.run("leak_signalled", OPTIONS, SPANGUARD_SUPPRESSIONS=str(path))
        bench.expect(title, said, [
            differs("status", said.outcome.status, 0), differs("codes", said.codes, codes),
            differs("notice", f"{path}" in said.outcome.stderr, is_told)])
    path.unlink()
    said = bench.run("leak_signalled", OPTIONS, SPANGUARD_SUPPRESSIONS=str(path))
    bench.expect("a file that is not there is told", said, [
        differs("codes", said.codes, ["P501"]),
        "SPANGUARD_SUPPRESSIONS cannot be read: " not in said.outcome.stderr and "no notice"])


CHECKS = {"suppressed": check_files}
