"""Each option does what it says; the same program without it shows the difference."""
import json
import signal

from bench import differs

ABORTED = -signal.SIGABRT

# body, options, status, codes of the report file, what the program said
ROWS = (
    ("overflow_freed", "", ABORTED, ["P101"], ""),
    ("overflow_freed", "on_report=exit", 86, ["P101"], ""),
    ("overflow_freed", "on_report=exit:exit_code=7", 7, ["P101"], ""),
    ("overflow_freed", "on_report=continue", 0, ["P101"], "on\n"),
    ("overflow_kept", "", 0, [], "on\n"),
    ("overflow_kept", "check_every=10", ABORTED, ["P101"], ""),
    ("overflow_left", "", ABORTED, ["P101"], "on\n"),
    ("overflow_left", "check_at_exit=0", 0, [], "on\n"),
    ("overflow_signalled", "", -signal.SIGUSR1, [], ""),
    ("overflow_signalled", "check_signal=10", ABORTED, ["P101"], ""),
    ("leak_signalled", "", -signal.SIGUSR2, [], ""),
    ("leak_signalled", "leak_signal=12:on_report=continue", 0, ["P501"], "on\n"),
    ("ask_for_two_mebibytes", "", 0, [], "memory\n"),
    ("ask_for_two_mebibytes", "max_alloc=1M", 0, [], "ENOMEM\n"),
    ("look_at_fresh_bytes", "", 0, [], "170\n"),
    ("look_at_fresh_bytes", "alloc_fill=17", 0, [], "17\n"),
    ("look_at_fresh_bytes", "alloc_fill=256", 0, [], "0\n"),
    ("look_at_freed_bytes", "", 0, [], "215\n"),
    ("look_at_freed_bytes", "free_fill=17", 0, [], "17\n"),
    ("write_17_after_free", "", ABORTED, ["P202"], ""),
    ("write_17_after_free", "free_fill=17", 0, [], ""),
    ("free_small_and_long_blocks", "quarantine=1G", 0, [], "not bounded\n"),
    ("free_small_and_long_blocks", "quarantine=8M", 0, [], "bounded\n"),
    ("write_to_null", "", -signal.SIGSEGV, [], ""),
    ("write_before", "profile=guard", 0, [], "on\n"),
    ("write_before", "profile=guard:guard_side=below", ABORTED, ["P104"], ""),
    ("write_behind", "profile=guard", 0, [], "on\n"),
    ("write_behind", "profile=guard:guard_exact=1", ABORTED, ["P102"], ""),
)


def check_rows(bench):
    for body, options, status, codes, stdout in ROWS:
        said = bench.run(body, options)
        bench.expect(f"{body} with {options or 'no option'}", said, [
            differs("status", said.outcome.status, status), differs("codes", said.codes, codes),
            differs("stdout", said.outcome.stdout, stdout)])


def block_of(said):
    return said.records[0].get("block", {}) if said.records else {}


def check_redzone(bench):
    def is_found(said):
        return said.codes == ["P101"] and block_of(said).get("bytes") == 16

    found, missed = bench.run("write_40_past_the_end", "redzone=64"), \
        bench.run("write_40_past_the_end")
    bench.expect("redzone=64 sees a write 40 bytes past the end of a block", found,
                 [not is_found(found) and "it is not"])
    bench.expect("16 bytes of redzone do not", missed, [is_found(missed) and "they do"])


def check_stacks(bench):
    whole, none = bench.run("overflow_freed"), bench.run("overflow_freed", "stack_depth=0")

    def stack(said):
        return block_of(said).get("allocated_by", {}).get("stack", [])

    bench.expect("who allocated a block is kept", whole, [not stack(whole) and "no stack"])
    bench.expect("stack_depth=0 keeps nobody", none, [
        differs("codes", none.codes, ["P101"]), stack(none)])


def functions(said):
    return [frame["function"] for frame in said.records[0]["at"] if "function" in frame]


def check_symbols(bench):
    named, bare = bench.run("overflow_freed"), bench.run("overflow_freed", "symbols=0")
    bench.expect("functions are named", named,
                 ["overflow_and_free" not in functions(named) and functions(named)])
    bench.expect("symbols=0 names none", bare, [
        differs("codes", bare.codes, ["P101"]), functions(bare)])


def is_record(line):
    try:
        return json.loads(line).get("code") == "P101"
    except ValueError:
        return False


def check_formats(bench):
    said = bench.run("overflow_freed", "report_format=jsonl")
    lines = said.outcome.stderr.splitlines()
    bench.expect("report_format=jsonl: the line, and one of JSON", said, [
        differs("first lines", said.cores, ["P101"]),
        not (len(lines) == 2 and is_record(lines[1])) and "no such lines"])
    said = bench.run("overflow_freed", "report_format=asan")
    bench.expect("report_format=asan: what readers of AddressSanitizer's reports know", said, [
        differs("first lines", said.cores, ["P101"]),
        "ERROR: AddressSanitizer: heap-buffer-overflow on address" not in said.outcome.stderr
        and "no first line", "SUMMARY: AddressSanitizer: " not in said.outcome.stderr
        and "no summary"])
    said = bench.run("overflow_freed")
    bench.expect("text is the default", said, [
        "\nspanguard: " not in said.outcome.stderr and "no text",
        "AddressSanitizer" in said.outcome.stderr and "AddressSanitizer is named"])


def check_leaks(bench):
    said = bench.run("leak_signalled", "leak_signal=12:on_report=continue")
    found = [record.get("found") for record in said.records]
    bench.expect("leaks that a signal asked for are not said to be found at exit", said,
                 [differs("found", found, ["when a signal asked"])])


def check_frees(bench):
    said = bench.run("beside_busy_threads")
    bench.expect("a block that was freed just now has no frees since", said, [
        differs("codes", said.codes, ["P101"]),
        differs("frees_since", said.records[0].get("frees_since"), None)])


CHECKS = {"leaks": check_leaks, "frees": check_frees, "choices": check_rows,
          "redzone": check_redzone, "stack_depth": check_stacks, "symbols": check_symbols, "report_format": check_formats}
