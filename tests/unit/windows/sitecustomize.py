"""Hides what Windows does not have, in every process that finds this file first on its path."""

import multiprocessing
import multiprocessing.context
import os
import signal
import sys
from importlib.abc import MetaPathFinder

HIDDEN = {"fcntl", "resource", "termios", "pwd", "grp", "multiprocessing.forkserver"}


class _Hidden(MetaPathFinder):
    def find_spec(self, fullname, path=None, target=None):  # type: ignore[no-untyped-def]
        if fullname in HIDDEN:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


sys.meta_path.insert(0, _Hidden())
for name in HIDDEN:
    sys.modules.pop(name, None)
for module, names in (
    (os, ("fork", "forkpty", "O_NOFOLLOW", "sched_getaffinity", "getuid")),
    (signal, ("pthread_sigmask", "SIGKILL", "SIGHUP", "SIGALRM", "SIGUSR1")),
):
    for name in names:
        if hasattr(module, name):
            delattr(module, name)
multiprocessing.context._concrete_contexts = {  # type: ignore[attr-defined]
    "spawn": multiprocessing.context.SpawnContext()
}
multiprocessing.set_start_method("spawn")
multiprocessing.get_all_start_methods = lambda: ["spawn"]
multiprocessing.context.DefaultContext.get_all_start_methods = lambda self: ["spawn"]  # type: ignore
