"""The test results of a gate, as TAP on standard output."""


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def check(self, name, problems):
        """One test, failed if `problems` holds anything; each problem becomes a comment line."""
        problems = list(problems)
        self.count += 1
        self.failed += bool(problems)
        print(f"{'not ' if problems else ''}ok {self.count} - {name}")
        for problem in problems:
            for line in str(problem).splitlines():
                print(f"#   {line}")

    def skip(self, name, reason):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {reason}")

    def finish(self):
        """Prints the plan; returns the exit status. Having tested nothing is a failure."""
        if self.count == 0:
            self.check("there is something to check", ["nothing was found"])
        print(f"1..{self.count}")
        return 1 if self.failed else 0
