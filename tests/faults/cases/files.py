"""Planted files, permissions, secrets and hostile input files."""

import os
import stat
import subprocess
import tempfile
from pathlib import Path

from tests.faults.injectors import locks
from tests.faults.injectors.trained import execute
from tests.faults.table import case

REFUSED = "refused with exit code 1 or 2 in one sentence"
SECRET = "hunter2-Secret"


def assert_refused(completed, codes=(1, 2)):
    """Assert that a command ended with one of the exit codes and sentences instead of a traceback."""
    assert completed.returncode in codes, completed.stderr
    assert completed.stderr.strip()
    assert "Traceback" not in completed.stderr
    assert "crashed" not in completed.stderr


def assert_second_refused(daemon, database):
    """Run a second daemon on a database; assert that it ends with exit code 1 and one error line."""
    path = daemon.directory / "second.toml"
    text = daemon.config.read_text().replace(str(daemon.database), str(database))
    path.write_text(text.replace(f":{daemon.port}", ":0"))
    completed = daemon.command("--config", str(path), "run", timeout=90)
    assert completed.returncode == 1
    assert "storage write failed" not in completed.stderr
    assert len([line for line in completed.stderr.splitlines() if line.startswith("monitor: ")]) == 1


@case(
    "second daemon after the lock file was deleted",
    "unlink of every *.lock",
    1,
    "exit code 1 and one error line; the first continues",
)
def lock_file_deleted(lab):
    daemon = lab.daemon().start()
    for path in daemon.state.glob("*.lock"):
        path.unlink()
    assert_second_refused(daemon, daemon.database)
    daemon.wait_stored(2)
    daemon.assert_stops()


@case(
    "second daemon through a symbolic link",
    "link to the database in another directory",
    1,
    "exit code 1 and one error line",
)
def second_through_link(lab):
    daemon = lab.daemon().start()
    link = lab.directory / "link.db"
    link.symlink_to(daemon.database)
    assert_second_refused(daemon, link)
    assert_second_refused(daemon, daemon.state / ".." / daemon.state.name / daemon.database.name)
    daemon.wait_stored(2)
    daemon.assert_stops()


@case(
    "second daemon through a hard link",
    "link(2) to the database in another directory",
    1,
    "exit code 1 and one error line",
)
def second_through_hard_link(lab):
    daemon = lab.daemon().start()
    link = lab.directory / "link.db"
    link.hardlink_to(daemon.database)
    assert_second_refused(daemon, link)
    daemon.wait_stored(2)
    daemon.assert_stops()


@case(
    "symbolic links planted next to the database",
    "every lock file, -wal, -shm and spool file as a link to a victim",
    10,
    "the victim is unchanged",
)
def planted_links(lab):
    victim = lab.directory / "victim"
    victim.write_text("precious")
    names = ("daemon.lock", "migrate.lock", "retrain.lock", "train.lock", "spool", "spool.jsonl", "salvage")
    for suffix in ("-wal", "-shm", "-journal", *(f".{name}" for name in names)):
        daemon = lab.daemon()
        daemon.database.with_name(daemon.database.name + suffix).symlink_to(victim)
        daemon.start(wait=False, new=True)
        daemon.wait(lambda daemon=daemon: not daemon.running() or daemon.metric("samples_total") > 2, alive=False)
        if daemon.running():
            daemon.stop()
        assert victim.read_text() == "precious", suffix


@case(
    "links and FIFOs planted while running",
    "the spool as a link to a victim, and as a FIFO; database locked, SIGTERM",
    10,
    "the victim is unchanged; the waiting samples are stored after the next start",
)
def spool_planted(lab):
    victim = lab.directory / "victim"
    victim.write_text("precious")
    for plant in (lambda path: path.symlink_to(victim), os.mkfifo):
        daemon = lab.daemon().start()
        plant(daemon.database.with_name(f"{daemon.database.name}.spool"))
        with locks.exclusive_lock(daemon.database):
            daemon.wait(lambda daemon=daemon: daemon.metric("storage_buffered_samples") > 5)
            taken = daemon.metric("samples_total")
            assert daemon.stop() == 0
        assert victim.read_text() == "precious"
        daemon.start()
        daemon.assert_stops()
        assert daemon.rows() > taken


@case("umask 0", "first start in a directory that does not exist", 10, "directories 0700, files 0600")
def umask_zero(lab):
    daemon = lab.daemon(lab.directory / "a" / "b").start(prefix=("sh", "-c", 'umask 0; exec "$@"', "sh"), new=True)
    daemon.assert_stops()
    for path in (lab.directory / "a", *(lab.directory / "a").rglob("*")):
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path


@case("world-writable database", "chmod 666", 10, "`monitor doctor` reports it")
def world_writable(lab):
    daemon = lab.daemon().start()
    daemon.assert_stops()
    assert '"writable by others"' not in daemon.command("doctor", "--json").stdout
    before = daemon.command("doctor", "--json")
    daemon.database.chmod(0o666)
    after = daemon.command("doctor", "--json")
    assert after.stdout != before.stdout
    assert after.returncode == 1


@case("database of another user", "chown to nobody; the daemon runs as daemon", 3, "starts, samples, is healthy")
def database_of_another_user(lab):
    lab.need_root()
    # Directories of pytest are closed to other users.
    directory = Path(lab.enter(tempfile.TemporaryDirectory()))
    directory.chmod(0o755)
    (directory / "state").mkdir()
    daemon = lab.daemon(directory / "state").start()
    daemon.assert_stops()
    daemon.config = directory / "config.toml"
    daemon.configure()
    os.chown(daemon.state, 65534, 65534)
    os.chown(daemon.database, 65534, 65534)
    daemon.config.chmod(0o644)
    daemon.state.chmod(0o700)
    daemon.start(wait=False, prefix=("setpriv", "--reuid=1", "--regid=1", "--clear-groups"))
    daemon.wait(lambda: daemon.metric("storage_buffered_samples") > 5)
    assert daemon.healthy()
    os.chown(daemon.state, 1, 1)
    os.chown(daemon.database, 1, 1)
    for path in daemon.state.iterdir():
        os.chown(path, 1, 1)
    recovery = daemon.wait_stored(1)
    assert daemon.stop() == 0
    return recovery


@case(
    "secrets in the configuration",
    "password in `storage.url`: with spaces, as query parameters, percent-encoded",
    10,
    "no command, page or log prints it",
)
def secrets(lab):
    urls = (
        f"postgresql://monitor:{SECRET}@localhost/monitor",
        f"postgresql://monitor:{SECRET} x@localhost/monitor",
        f"postgresql://localhost/monitor?user=monitor&password={SECRET}",
        f"mysql://monitor:a%20{SECRET}@localhost/?passwd={SECRET}",
        f"sqlite:////tmp/does-not-exist-{os.getpid()}/m.db?token={SECRET}",
    )
    for url in urls:
        daemon = lab.daemon()
        text = daemon.config.read_text().replace(f"sqlite:///{daemon.database}", url)
        daemon.config.write_text(text)
        for arguments in (
            ("check-config",),
            ("status",),
            ("status", "--json"),
            ("doctor", "--json"),
            ("models", "list"),
        ):
            completed = daemon.command("--log-level", "debug", *arguments)
            assert SECRET not in completed.stdout + completed.stderr, (url, arguments)
            assert "Traceback" not in completed.stderr


@case("hostile configuration files", "directory, device, random bytes, NUL, 50 MB, wrong encodings", 8, REFUSED)
def hostile_configurations(lab):
    daemon = lab.daemon()
    files = {
        "random": os.urandom(5000),
        "nul": b"[sampling]\n\0",
        "utf16": '[sampling]\ninterval = "5s"'.encode("utf-16"),
        "nested": b"a = " + b"[" * 20_000,
        "table": b"[a" + b".a" * 20_000 + b"]",
        "large": b"# x\n" * 12_000_000,
        "number": b"[training]\nseed = " + b"9" * 100_000,
        "list": b"sampling = 3\nstorage = []\n[[web]]\n",
    }
    for name, content in files.items():
        path = lab.directory / name
        path.write_bytes(content)
        completed = daemon.command("--config", str(path), "run", timeout=90)
        assert_refused(completed)
    assert_refused(daemon.command("--config", str(lab.directory), "run"))
    assert_refused(daemon.command("--config", str(lab.directory / "missing"), "run"))


@case("hostile traces", "random bytes, wrong headers, infinite numbers, huge fields, a gzip bomb", 8, REFUSED)
def hostile_traces(lab):
    daemon = lab.daemon().start()
    bomb = subprocess.run(
        ["sh", "-c", "head -c 300000000 /dev/zero | gzip -1"], capture_output=True, check=True
    ).stdout
    files = {
        "random.csv": os.urandom(20_000),
        "header.csv": b"time,cpu\n1,2\n",
        "text.csv": b"timestamp,cpu_usage\nnoon,much\n",
        "infinite.csv": b"timestamp,cpu_usage\ninf,nan\n",
        "field.csv": b"timestamp,cpu_usage\n1," + b"9" * 10_000_000 + b"\n",
        "bomb.csv.gz": bomb,
        "cut.csv.gz": bomb[:1000],
        "empty.csv": b"",
    }
    before = execute(daemon.database, "SELECT count(*) FROM samples WHERE at < 1000")
    for name, content in files.items():
        path = lab.directory / name
        path.write_bytes(content)
        completed = daemon.command("import", str(path), prefix=("prlimit", "--as=1000000000"))
        assert_refused(completed, codes=(1, 2, 4))
    assert execute(daemon.database, "SELECT count(*) FROM samples WHERE at < 1000") == before
    daemon.wait_stored(1)
    daemon.assert_stops()
