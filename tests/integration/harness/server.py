"""A long-running program: proven ready, proven preloaded in every process, stopped cleanly."""

import signal
import time

from harness import processes
from harness.case import CaseFailed
from harness.witness import maps_library

POLL_SECONDS = 0.05
STOP_SECONDS = 20
MAPS_ATTEMPTS = 20


class Server:
    def __init__(self, session, process, capture, ready):
        self.session = session
        self.process = process
        self.capture = capture
        self.ready = ready
        self.stop_signal = signal.SIGTERM

    @property
    def pid(self):
        return self.process.pid

    def __enter__(self):
        try:
            self.wait_until(self.ready, "ready")
            self.check_preload()
        except BaseException:
            processes.end_group(self.process)
            raise
        return self

    def __exit__(self, kind, error, trace):
        try:
            if kind is None:
                self.check_preload()
                self._stop()
        finally:
            processes.end_group(self.process)
        self._refuse_reports()
        return False

    def wait_until(self, condition, what):
        while not condition():
            if self.process.poll() is not None:
                raise CaseFailed(f"the server ended before it was {what}\n{self._said()}")
            if self.session.seconds_left() <= 0:
                raise CaseFailed(f"timed out before the server was {what}\n{self._said()}")
            time.sleep(POLL_SECONDS)

    def check_preload(self):
        """Children that come and go are seen by the witness; those that stay, here."""
        library = self.session.allocator.library
        if library is None:
            return
        if not maps_library(self.pid, library):
            raise CaseFailed(f"the server (process {self.pid}) does not map {library.name}")
        for child in processes.descendants(self.pid):
            if not self._child_maps(child, library):
                raise CaseFailed(f"process {child} of the server does not map {library.name}")

    @staticmethod
    def _child_maps(child, library):
        """A child that is just starting another program may map nothing yet."""
        for _ in range(MAPS_ATTEMPTS):
            if maps_library(child, library) is not False:
                return True
            time.sleep(POLL_SECONDS)
        return False

    def _stop(self):
        self.process.send_signal(self.stop_signal)
        code = processes.wait(self.process, min(STOP_SECONDS, self.session.seconds_left()))
        if code is None:
            raise CaseFailed("the server did not stop when asked to")
        if code != 0:
            raise CaseFailed(f"server: {processes.signal_name(code)}\n{self._said()}")
        self.session.witness.check_process(self.pid, "server")

    def _said(self):
        return "\n".join(path.read_text(errors="replace")[-2000:] for path in self.capture.values())

    def _refuse_reports(self):
        for path in self.capture.values():
            self.session.refuse_report(path.name, path.read_text(errors="replace"))
