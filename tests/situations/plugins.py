"""Names of functions in plugins that were unloaded, and others now lie where they were."""
from bench import HERE, differs

OPTIONS = "on_report=continue"


def makers(record):
    """Function and base name of the module of each frame that made the block, innermost first."""
    paths = [module["path"].rsplit("/", 1)[-1] for module in record["modules"]]
    stack = record.get("block", {}).get("allocated_by", {}).get("stack", [])
    return [(frame.get("function"), paths[frame["module"]]) for frame in stack
            if "module" in frame]


def check_plugins(bench):
    for name in ("first", "second"):
        bench.shop.compile([HERE / "plugin.c"], f"{name}.so",
                           ["-shared", "-fPIC", "-O1", f"-DMAKE=make_in_{name}"])
    said = bench.run("after_a_plugin_was_replaced", OPTIONS)
    both = [makers(record) for record in said.records]
    gone, there = both if len(both) == 2 else ([], [])
    bench.expect("a block of a plugin that was unloaded has no names of the next one", said, [
        differs("status", said.outcome.status, 0), differs("stdout", said.outcome.stdout, ""),
        differs("its frames", gone[:2], [(None, "unloaded")] * 2),
        differs("the program's", gone[2:3], [("after_a_plugin_was_replaced", "situations")]),
        "allocated by  unloaded" not in said.outcome.stderr and "the text says otherwise"])
    bench.expect("and a block of the next one has them", said, [
        differs("its frames", there[:1], [("make_in_second", "second.so")])])
    said = bench.run("after_another_plugin_was_closed", OPTIONS)
    kept = [makers(record) for record in said.records]
    bench.expect("a dlclose of another plugin takes no names away", said, [
        differs("frames", [frames[:1] for frames in kept], [[("make_in_first", "first.so")]])])


CHECKS = {"plugins": check_plugins}
