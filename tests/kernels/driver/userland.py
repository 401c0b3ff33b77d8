"""The programs for a kernel under test: this machine's own, or those of another architecture, built and fetched for it."""
import re
import shutil
import subprocess
from pathlib import Path

from . import archive

# Of Debian's release that the tree is built on, whatever the kernel's is.
SUITE = "bookworm"
TOOLS = ("nft", "setpriv", "unshare")
PACKAGES = {
    # What tcpflight and its tests are built with for another machine, beside the compiler and its C library.
    "libraries": ["libbpf-dev", "libelf-dev", "zlib1g-dev", "libzstd-dev", "libxxhash-dev", "linux-libc-dev", "libfmt-dev",
                  "libcli11-dev", "libexpected-dev", "robin-map-dev", "libgtest-dev", "libgmock-dev", "nlohmann-json3-dev",
                  "libvalijson-dev"],
    # What the scenarios call.
    "userland": ["busybox-static", "nftables", "util-linux"],
}


def fetch(cache, build, architecture):
    """Folders with arm64's packages, unpacked: BUILD/libraries and BUILD/userland."""
    suite = archive.Suite(SUITE, cache, architecture)
    for name, packages in PACKAGES.items():
        suite.unpack(packages, build / name, with_dependencies=name == "userland")


class Own:
    """This machine's."""

    def find(self, name):
        return shutil.which(name)

    def libraries_of(self, program):
        """[(file, its place in the image)]"""
        found = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
        return [(file, file) for file in re.findall(r"(/\S+) \(0x", found)]


class Foreign:
    """Of the packages unpacked into `root`; this machine cannot run them, so that ldd does not know what they need."""

    def __init__(self, root):
        self.root = root
        self.folders = [folder for top in ("lib", "usr/lib") for folder in (root / top, *(root / top).glob("*-linux-gnu"))
                        if folder.is_dir()]

    def find(self, name):
        for folder in ("bin", "usr/bin", "sbin", "usr/sbin"):
            if (self.root / folder / name).exists():
                return str(self.root / folder / name)
        return None

    def libraries_of(self, program):
        found, left = {}, [Path(program)]
        while left:
            said = subprocess.run(["readelf", "-Wld", left.pop()], capture_output=True, text=True, check=True).stdout
            names = re.findall(r"\(NEEDED\).*\[(.+)\]", said) + [Path(name).name for name in
                                                                  re.findall(r"program interpreter: (\S+)\]", said)]
            for name in names:
                file = next((folder / name for folder in self.folders if (folder / name).exists()), None)
                if file is None:
                    raise FileNotFoundError(f"{program} needs {name}, which is not in {self.root}")
                if name not in found:
                    found[name] = (file, f"/lib/{name}")
                    left.append(file)
        return list(found.values())
