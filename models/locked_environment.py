"""Creates a lock's Python environment if it is missing, and prints its folder: locked_environment.py LOCK CACHE."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path


def environment_of(lock: Path, cache: Path) -> Path:
    """One for each Python version and each content of the lock file."""
    major, minor = sys.version_info[:2]
    return cache / f"{major}.{minor}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"


def ensure(environment: Path, lock: Path) -> None:
    """Creates the environment. Of simultaneous callers one installs, and the others wait for it."""
    complete = environment / "complete"
    if complete.exists():
        return
    environment.parent.mkdir(parents=True, exist_ok=True)
    with Path(f"{environment}.lock").open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another process that is installing the same environment …")
            fcntl.flock(held, fcntl.LOCK_EX)
        if complete.exists():
            return
        say(f"installing {lock} into {environment}")
        # Left behind by a call that was killed.
        shutil.rmtree(environment, ignore_errors=True)
        venv.create(environment, with_pip=True, symlinks=True)
        # pip holds the lock too: it may run on for a while after this process was killed.
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        subprocess.run(
            [environment / "bin" / "python", *install, "-r", lock],
            check=True,
            stdout=sys.stderr,
            pass_fds=[held.fileno()],
        )
        complete.touch()


def say(text: str) -> None:
    print(f"models/python.sh: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    lock, cache = map(Path, sys.argv[1:])
    environment = environment_of(lock, cache)
    try:
        ensure(environment, lock)
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
    print(environment)
