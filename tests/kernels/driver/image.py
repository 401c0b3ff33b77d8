"""The initramfs: busybox, the programs under test with their libraries, a few modules, and a job for init."""
import lzma
import re
import shutil
import subprocess
from pathlib import Path

INIT = Path(__file__).resolve().parents[1] / "init"
# What the scenarios need of the kernel: packet filters, and devices between namespaces.
MODULES = ["nf_tables", "nft_counter", "nf_conntrack", "nft_ct", "nft_limit", "nft_numgen", "veth", "tcp_diag"]


def module_files(kernel):
    """In the order of loading. A module that this kernel has built in, or does not know, is no file."""
    files = []
    for module in MODULES:
        shown = subprocess.run(["modprobe", "-d", kernel.modules, "-S", kernel.release, "--show-depends", module],
                               capture_output=True, text=True, check=False).stdout
        for path in re.findall(r"^insmod (\S+)", shown, re.M):
            if path not in files:
                files.append(path)
    return files


def put(root, file, at=None):
    """A file of this machine at the same place in the image."""
    target = root / str(at or file).lstrip("/")
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(file).resolve(), target)


def put_module(root, number, path):
    data = Path(path).read_bytes()
    if path.endswith(".xz"):  # not every busybox can
        data = lzma.decompress(data)
    elif path.endswith(".zst"):
        data = subprocess.run(["zstd", "-dcq", path], capture_output=True, check=True).stdout
    target = root / "modules" / f"{number:02}-{re.sub(r'[.](xz|zst)$', '', Path(path).name)}"
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(data)


def build(kernel, userland, programs, files, job, work):
    """An uncompressed cpio archive in `work`. `programs`: files, and where they are in the image. `job`: shell commands; what
    they print to fd 3 are the results."""
    root = work / f"root-{kernel.name}"
    shutil.rmtree(root, ignore_errors=True)
    for folder in ("bin", "dev", "proc", "sys", "tmp", "run", "etc", "mnt"):
        (root / folder).mkdir(parents=True)
    put(root, userland.find("busybox"), "/bin/busybox")
    for program, at in programs.items():
        put(root, program, at)
        for library, its_place in userland.libraries_of(program):
            put(root, library, its_place)
    for file in files:
        put(root, file)
    for number, path in enumerate(module_files(kernel)):
        put_module(root, number, path)
    (root / "etc/passwd").write_text("root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n", encoding="utf-8")
    (root / "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n", encoding="utf-8")
    (root / "job").write_text(job, encoding="utf-8")
    shutil.copy(INIT, root / "init")
    (root / "init").chmod(0o755)
    image = work / f"{kernel.name}.cpio"
    names = subprocess.run(["find", ".", "-print0"], cwd=root, capture_output=True, check=True).stdout
    with open(image, "wb") as out:
        subprocess.run(["cpio", "-0", "-o", "-H", "newc", "--quiet", "-R", "0:0"], cwd=root, input=names, stdout=out, check=True)
    shutil.rmtree(root)
    return image
