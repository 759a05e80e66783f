#!/usr/bin/python3
"""Proves that the interface checks can fail: each meets a malloc that is broken in its point.

Every row runs one test over broken.c with a defect, where it must fail. Rows marked with a
defect of "" stand for what broken.c never does right. The sound broken.c must pass the others.
"""
import argparse
import io
import sys
from contextlib import redirect_stdout

sys.dont_write_bytecode = True

import outside  # noqa: E402
import tap  # noqa: E402
import topics  # noqa: E402
from options import check_options  # noqa: E402

# (defect, topic, test)
ROWS = (
    ("failure keeps errno", "failure", "malloc_of_an_impossible_size_is_ENOMEM"),
    ("failure keeps errno", "failure", "aligned_requests_of_an_impossible_size_are_ENOMEM"),
    ("calloc wraps", "failure", "calloc_whose_product_wraps_to_something_small_is_ENOMEM"),
    ("a failing realloc harms the block", "failure",
     "realloc_to_an_impossible_size_is_ENOMEM_and_leaves_the_block_intact"),
    ("a failing realloc harms the block", "failure",
     "reallocarray_that_overflows_is_ENOMEM_and_leaves_the_block_intact"),
    ("posix_memalign clobbers the pointer", "failure",
     "posix_memalign_returns_ENOMEM_and_touches_neither_errno_nor_the_pointer"),
    ("free changes errno", "failure", "free_keeps_errno"),
    ("free changes errno", "failure", "free_keeps_errno_while_much_memory_goes_back"),
    ("empty blocks are one", "empty", "malloc_of_zero_bytes_gives_distinct_blocks"),
    ("", "empty", "a_write_to_malloc_of_zero_bytes_faults"),
    ("", "empty", "a_read_from_malloc_of_zero_bytes_faults"),
    ("realloc to nothing leaks", "empty", "realloc_to_zero_bytes_frees_and_returns_NULL"),
    ("realloc to nothing returns a block", "empty",
     "reallocarray_to_zero_bytes_frees_and_returns_NULL"),
    ("blocks are aligned to 8", "aligned", "every_size_is_aligned_to_16"),
    ("blocks are aligned to 8", "aligned", "large_blocks_are_aligned_to_16"),
    ("aligned_alloc wants multiples", "aligned",
     "aligned_alloc_takes_a_size_that_is_no_multiple_of_the_alignment"),
    ("posix_memalign takes 4", "aligned",
     "posix_memalign_with_a_wrong_alignment_is_EINVAL_and_leaves_the_pointer_alone"),
    ("posix_memalign clobbers the pointer", "aligned",
     "posix_memalign_with_a_wrong_alignment_is_EINVAL_and_leaves_the_pointer_alone"),
    ("memalign does not round", "aligned", "memalign_rounds_an_alignment_up_to_a_power_of_two"),
    ("valloc is not aligned", "aligned", "valloc_is_aligned_to_a_page"),
    ("pvalloc does not round", "aligned",
     "pvalloc_is_aligned_to_a_page_and_rounds_the_size_up_to_pages"),
    ("pvalloc does not round", "aligned", "pvalloc_of_zero_bytes_is_one_page"),
    ("usable size is too large", "content",
     "the_whole_usable_size_is_writable_and_belongs_to_one_block"),
    ("calloc is dirty", "content", "calloc_is_zero_after_dirty_blocks_of_the_same_size"),
    ("calloc is dirty", "content", "calloc_is_zero_at_every_size_up_to_2_KiB"),
    ("realloc forgets the last byte", "content",
     "realloc_keeps_the_content_through_any_sequence_of_sizes"),
    ("realloc forgets the last byte", "content",
     "realloc_grows_and_shrinks_a_large_block_in_small_steps"),
    ("", "free_sized", "free_sized_takes_every_size_up_to_4_KiB"),
    ("mallinfo is zero", "introspection",
     "mallinfo2_grows_by_what_is_allocated_and_falls_again"),
    ("mallinfo is zero", "introspection", "mallinfo2_sees_a_large_block"),
    ("mallopt refuses", "introspection", "mallopt_accepts_the_parameters_that_it_documents"),
    ("malloc_info takes options", "introspection",
     "malloc_info_with_options_is_EINVAL_and_prints_nothing"),
    ("", "guarded", "a_write_right_behind_a_block_of_any_size_faults"),
    ("", "guarded", "a_freed_block_of_any_size_cannot_be_read"),
    ("", "guarded", "what_realloc_left_cannot_be_read"),
    ("", "guarded", "aligned_blocks_end_with_their_page_too"),
    ("", "system", "the_library_is_there_and_its_early_blocks_are_its_own"),
    ("", "system", "every_interface_gives_blocks_of_libc"),
    ("", "typed", "no_address_of_a_partition_comes_back_to_another_or_to_malloc"),
    ("", "symbols", "the_standard_names_resolve_to_the_library"),
    ("", "symbols", "the_names_that_begin_with___libc_resolve_to_the_library"),
    ("", "symbols", "blocks_pass_freely_between_the_plain_and_the___libc_names"),
    ("", "symbols", "references_with_a_version_resolve_to_the_library"),
    ("", "operators", "all_8_news_and_12_deletes_resolve_to_the_library"),
    ("", "operators", "new_that_fails_throws_bad_alloc"),
    ("", "operators", "the_new_handler_is_called_until_there_is_none"),
    ("children inherit the lock", "fork",
     "children_of_a_bare_fork_in_a_program_with_busy_threads_can_allocate"),
    ("fork handlers hold the lock", "fork", "fork_handlers_of_the_program_can_allocate"),
    ("fork handlers hold the lock", "fork_stdio",
     "two_thousand_forks_beside_stdio_do_not_deadlock"),
    ("threads leak", "thread_exit", "ended_threads_leave_no_memory_behind"),
    ("", "seccomp", "the_heap_works_where_every_unneeded_call_kills"),
    ("", "plugins", "a_plugin_opened_with_RTLD_DEEPBIND_shares_the_heap"),
    ("", "late_dlopen", "dlclose_does_not_unload_it"),
)
# Flags for variants of broken.c, and the tests that must fail over them.
VARIANTS = (
    ("-DINTERPOSE_DLOPEN", "plugins", "a_plugin_is_found_through_the_programs_RUNPATH"),
    ("-DINTERPOSE_DLOPEN", "plugins",
     "a_plugin_is_found_through_the_RUNPATH_of_the_library_that_opens_it"),
    ("-DBIG_TLS", "late_dlopen", "the_library_can_be_opened_in_a_running_program"),
)
TIMEOUT = 12
HARD_DEFECTS = ("fork handlers hold the lock", "children inherit the lock")


class Recorder(tap.Report):
    """Keeps names and verdicts instead of printing them."""

    def __init__(self):
        super().__init__()
        self.verdicts = {}

    def result(self, name, passed, notes=()):
        self.verdicts[name] = bool(passed)

    def skip(self, name, reason):
        self.verdicts[name] = True


class Selftest:
    """Builds each program once and runs single tests over broken libraries."""

    def __init__(self, report, shop):
        self.report = report
        self.shop = shop
        self.programs = {}

    def build_library(self, flag=None):
        name = f"broken{flag or ''}.so"
        return topics.build_shared(self.shop, "broken.c", name, [flag] if flag else [])

    def run_test(self, topic, test, defect):
        if topic not in self.programs:
            self.programs[topic] = topics.build(self.shop, topic)
        environment = {"BROKEN": defect}
        preload = "library"
        if topic == "late_dlopen":
            environment["CHECK_LATE"] = str(self.shop.library)
            preload = None
        outcome = self.shop.run([self.programs[topic], test], environment, TIMEOUT, preload)
        run = topics.Run(outcome)
        good = [verdict == "ok" and reason is None for name, verdict, reason, _ in run.results
                if name == test]
        return good == [True] and outcome.passed()

    def expect_failure(self, defect, topic, test):
        title = test.replace("_", " ")
        self.report.result(f"{topic}: {title}: fails over {defect or 'broken.c'!r}",
                           not self.run_test(topic, test, defect))

    def expect_success(self, topic, test):
        title = test.replace("_", " ")
        self.report.result(f"{topic}: {title}: passes without a defect",
                           self.run_test(topic, test, ""))

    def expect_check(self, check, defect, good, *names):
        """A check from outside, told of the defect through the environment."""
        recorder = Recorder()
        tap.os.environ["BROKEN"] = defect
        check(recorder, self.shop)
        del tap.os.environ["BROKEN"]
        for name in names:
            verdicts = {title: verdict for title, verdict in recorder.verdicts.items()
                        if name in title}
            as_expected = bool(verdicts) and all(verdict == good for verdict in verdicts.values())
            self.report.result(
                f"{name}: {'passes' if good else 'fails'} over {defect or 'broken.c'!r}",
                as_expected, [] if as_expected else [str(verdicts)])


def test_outside(selftest):
    rows = (
        (outside.check_malloc_info, "", True, "malloc_info prints"),
        (outside.check_malloc_info, "malloc_info is no XML", False, "malloc_info prints"),
        (outside.check_malloc_stats, "", True, "malloc_stats prints"),
        (outside.check_malloc_stats, "malloc_stats goes to stdout", False, "malloc_stats prints"),
        (outside.check_lifecycle, "", True, "memory works"),
        (outside.check_lifecycle, "the end is final", False, "memory works"),
        (outside.check_secure, "", False, "a set-uid program ignores SPANGUARD_OPTIONS"),
        (check_options, "", False, "thread_cache_bytes='abc' is refused", "empty parts are silent",
         "each of two unknown", "a misspelling of dirty_bytes", "tells its range", "help=1"),
    )
    for row in rows:
        selftest.expect_check(*row)


def test_variants(selftest):
    for flag, topic, test in VARIANTS:
        selftest.shop.library = selftest.build_library(flag)
        selftest.expect_failure("", topic, test)
    selftest.expect_check(outside.check_tls, "", False, "thread-local storage is one pointer")


def test_runner(selftest):
    """A program that crashes, hangs or says too little must not pass unseen."""
    empty = tap.Report()
    with redirect_stdout(io.StringIO()):
        status = empty.finish()
    selftest.report.result("an empty suite fails", status == 1)
    recorder = Recorder()
    tap.os.environ["BROKEN"] = "usable size is too large"
    topics.run_topic(recorder, selftest.shop, "content")
    del tap.os.environ["BROKEN"]
    selftest.report.result(
        "a test that takes the program down fails and the others still run",
        len(recorder.verdicts) >= 12 and not all(recorder.verdicts.values()))


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    report = tap.Report()
    with tap.Workshop() as shop:
        selftest = Selftest(report, shop)
        shop.library = selftest.build_library()
        for defect, topic, test in ROWS:
            selftest.expect_failure(defect, topic, test)
            if defect and defect not in HARD_DEFECTS:
                selftest.expect_success(topic, test)
        test_runner(selftest)
        test_outside(selftest)
        test_variants(selftest)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
