"""Builds Mailtide with optimization, and installs it and its peers into a folder of their own."""

import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "target" / "bench"
PEERS = ROOT / "benches" / "peers"
PYTHON_PEERS = ["IMAPClient==4.1.0", "imap_tools==1.16.0"]
NODE_PEERS = ["imapflow@^1.0.0 || ^2.0.0", "mailparser@^3.7.0"]


@dataclass(frozen=True)
class Peer:
    """A program that does tasks; those of one language are compared (mbsync with ours in Rust)."""

    name: str
    language: str
    command: tuple[str, ...]
    ours: bool = False


def peers() -> list[Peer]:
    """All that could be built or installed here, ours first."""
    HOME.mkdir(parents=True, exist_ok=True)
    rust = rust_peers()
    run("cargo", "build", "--release", "--package", "mailtide-node")
    python, node = python_home(), node_home()
    ours = [
        rust[0],
        Peer("mailtide, Python", "Python", (python, str(PEERS / "ours_python.py")), True),
        Peer("mailtide, Node", "Node", ("node", str(node / "ours_node.mjs")), True),
    ]
    others = rust[1:]
    others += [Peer(name, "Python", (python, str(PEERS / "python.py"), name)) for name in python_peers(python)]
    if npm_peers(node):
        others.append(Peer("imapflow", "Node", ("node", str(node / "imapflow.mjs"))))
    return ours + others


def rust_peers() -> list[Peer]:
    """Those that need no binding: ours in Rust, and mbsync where it is installed."""
    run("cargo", "build", "--release", "--package", "mailtide-bench")
    ours = ROOT / "target" / "release" / "mailtide-bench"
    peers = [Peer("mailtide, Rust", "Rust", (str(ours),), True)]
    return peers + ([Peer("mbsync", "Rust", (str(PEERS / "mbsync.sh"),))] if shutil.which("mbsync") else [])


def sizes() -> dict[str, int]:
    """Bytes of what users download and load."""
    return {
        "wheel": next(HOME.glob("wheel/*.whl")).stat().st_size,
        ".node": (HOME / "node/node_modules/mailtide/bindings-node/dist/mailtide.node").stat().st_size,
    }


def python_home() -> str:
    """A virtual environment with our wheel. Debian's interpreter, where it is, is built with PGO as released ones are."""
    base = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable
    python = HOME / "venv" / "bin" / "python"
    if not python.exists():
        run(base, "-m", "venv", str(HOME / "venv"))
    wheels = HOME / "wheel"
    shutil.rmtree(wheels, ignore_errors=True)
    maturin = ROOT / ".venv" / "bin" / "maturin"
    run(str(maturin), "build", "--release", "--quiet", "--interpreter", str(python), "--out", str(wheels))
    site = Path(output(str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"))
    shutil.rmtree(site / "mailtide", ignore_errors=True)
    with zipfile.ZipFile(next(wheels.glob("*.whl"))) as wheel:
        wheel.extractall(site)
    return str(python)


def node_home() -> Path:
    """A folder with our package as npm would install it; what is built for development stays as it is."""
    home = HOME / "node"
    package = home / "node_modules" / "mailtide"
    dist = package / "bindings-node" / "dist"
    shutil.rmtree(package, ignore_errors=True)
    shutil.copytree(ROOT / "bindings-node" / "dist", dist)
    shutil.copy(ROOT / "package.json", package)
    library = "libmailtide_node.dylib" if sys.platform == "darwin" else "libmailtide_node.so"
    shutil.copy(ROOT / "target" / "release" / library, dist / "mailtide.node")
    for program in ("ours_node.mjs", "imapflow.mjs"):
        shutil.copy(PEERS / program, home)
    return home


def python_peers(python: str) -> list[str]:
    """imaplib is there always; the others come from PyPI where that can be reached."""
    wanted = ["imapclient", "imap_tools"]
    probe = (python, "-c", "import imapclient, imap_tools")
    if not succeeds(*probe) and not succeeds(python, "-m", "pip", "install", "--quiet", *PYTHON_PEERS):
        print("benches: no IMAPClient and imap_tools; comparing with imaplib only", file=sys.stderr)
        wanted = []
    return ["imaplib", *wanted]


def npm_peers(home: Path) -> bool:
    if not (home / "node_modules" / "imapflow").exists():
        (home / "package.json").write_text(json.dumps({"private": True}))
        if not succeeds("npm", "install", "--no-save", "--silent", "--no-audit", "--prefix", str(home), *NODE_PEERS):
            print("benches: no imapflow: npm could not install it", file=sys.stderr)
            return False
        node_home()  # npm takes away what it does not know
    return True


def run(*command: str) -> None:
    subprocess.run(command, check=True, cwd=ROOT)


def output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout.strip()


def succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, cwd=ROOT).returncode == 0


if __name__ == "__main__":
    peers()
    for file, size in sizes().items():
        print(f"{file}: {size / 1e6:.2f} MB")
