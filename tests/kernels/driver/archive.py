"""Kernels from Debian's archive, through an apt configuration of its own: the system's is neither read nor changed."""
import os
import re
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

MIRROR = os.environ.get("TCPFLIGHT_DEBIAN_MIRROR", "http://deb.debian.org/debian")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
INDEX_AGE = 24 * 3600  # seconds until the package index is fetched again

# What a kernel consists of; newer releases split image, binary and modules into packages of their own.
PARTS = re.compile(r"linux-(image|binary|modules)-[0-9]")


class Unreachable(RuntimeError):
    """The archive does not answer, or does not have it. The text is one sentence."""


@dataclass(frozen=True)
class Kernel:
    name: str
    release: str  # as uname -r says it
    version: str  # of the package
    image: Path
    modules: Path  # a root folder, as depmod -b and modprobe -d take it
    is_refused: bool = False  # too old for tcpflight
    parameters: str = ""  # for its command line
    architecture: str = "amd64"  # as Debian names it


def read_list(path):
    """(name, suite, package, is refused, words for the command line) of each line."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        name, suite, package, *rest = line.split()
        rows.append((name, suite, package, "refused" in rest, " ".join(word for word in rest if word != "refused")))
    return rows


def architecture_of(package):
    """Kernels' packages end in it."""
    return package.rpartition("-")[2]


class Suite:
    """One suite of the archive, for one of Debian's architectures, with its index and its packages cached in `folder`."""

    def __init__(self, name, folder, architecture="amd64"):
        self.name = name
        self.architecture = architecture
        self.folder = folder / (name if architecture == "amd64" else f"{name}-{architecture}")
        for part in ("lists/partial", "archives/partial"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        sources = self.folder / "sources.list"
        sources.write_text(f"deb [signed-by={KEYRING}] {MIRROR} {name} main\n", encoding="utf-8")
        (self.folder / "empty").mkdir(exist_ok=True)
        config = self.folder / "apt.conf"
        config.write_text("".join(f'{key} "{value}";\n' for key, value in {
            "Dir::Etc::sourcelist": sources, "Dir::Etc::sourceparts": self.folder / "empty",
            "Dir::Etc::preferences": "/dev/null", "Dir::Etc::preferencesparts": self.folder / "empty",
            "Dir::State": self.folder, "Dir::State::lists": self.folder / "lists", "Dir::State::status": "/dev/null",
            "Dir::Cache": self.folder, "Dir::Cache::archives": self.folder / "archives",
            "Acquire::Languages": "none", "Acquire::Retries": "2", "Acquire::http::Timeout": "20",
            "APT::Architecture": architecture, "APT::Architectures": architecture, "APT::Sandbox::User": "root",
        }.items()), encoding="utf-8")
        self.environment = {**os.environ, "APT_CONFIG": str(config), "LC_ALL": "C"}

    def _apt(self, *command, cwd=None):
        done = subprocess.run(command, env=self.environment, cwd=cwd, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Unreachable(f"{command[0]} {command[1]} ({self.name}): {(done.stderr or 'failed').strip().splitlines()[-1]}")
        return done.stdout

    def update(self):
        stamp = self.folder / "updated"
        if not stamp.exists() or time.time() - stamp.stat().st_mtime > INDEX_AGE:
            self._apt("apt-get", "update", "--error-on=any")
            stamp.touch()

    def _field(self, package, field):
        found = re.search(rf"^{field}: (.*)$", self._apt("apt-cache", "show", package), re.M)
        return found[1] if found else ""

    def unpack(self, packages, at, with_dependencies=False):
        """Downloads these packages, with all that they need if asked for, into a folder; once for each list of them."""
        wanted = " ".join(packages)
        stamp = at / "unpacked"
        if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
            return at
        self.update()
        archives = self.folder / "archives"
        for file in archives.glob("*.deb"):
            file.unlink()
        if with_dependencies:
            self._apt("apt-get", "install", "--yes", "--download-only", "--no-install-recommends", *packages)
        else:
            self._apt("apt-get", "download", *packages, cwd=archives)
        at.mkdir(parents=True, exist_ok=True)
        for file in archives.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", file, at], check=True)
            file.unlink()
        stamp.write_text(wanted, encoding="utf-8")
        return at

    def parts_of(self, package):
        """The packages with the image and the modules."""
        found, left = [], [package]
        while left:
            for name in re.findall(r"[a-z0-9.+-]+(?= |,|$)", self._field(left.pop(), "Depends")):
                if PARTS.match(name) and name not in found:
                    found.append(name)
                    left.append(name)
        return found

    def fetch(self, name, package, is_refused=False, parameters=""):
        """Downloads (apt verifies) and unpacks what is not there yet."""
        self.update()
        version = self._field(package, "Version")
        root = self.folder / "unpacked" / version.replace("~", "-")
        if not (root / "done").exists():
            parts = self.parts_of(package)
            if not parts:
                raise Unreachable(f"{package} of {self.name} names no kernel")
            self._apt("apt-get", "download", *parts, cwd=self.folder / "archives")
            root.mkdir(parents=True, exist_ok=True)
            for part in parts:
                for file in (self.folder / "archives").glob(f"{part}_*.deb"):
                    subprocess.run(["dpkg-deb", "-x", file, root], check=True)
                    file.unlink()
            if not (root / "lib").exists():  # newer packages say /usr/lib
                (root / "lib").symlink_to("usr/lib")
            for release in (root / "lib/modules").iterdir():
                # What it warns of, lists of built-in modules that some packages do not have, is not needed.
                subprocess.run(["depmod", "-b", root, release.name], check=True, stderr=subprocess.DEVNULL)
            (root / "done").touch()
        images = sorted((root / "boot").glob("vmlinuz-*")) or sorted((root / "lib/modules").glob("*/vmlinuz"))
        if not images:
            raise Unreachable(f"{package} {version} holds no vmlinuz")
        release = next((root / "lib/modules").iterdir()).name
        return Kernel(name, release, version, images[0], root, is_refused, parameters, self.architecture)
